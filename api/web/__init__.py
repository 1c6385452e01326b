"""Pages: HTML rendered here, staff's under ``/admin``, customers' under ``/my``. Only live updates need a script."""
