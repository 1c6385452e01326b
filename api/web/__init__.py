"""Staff's pages: server-rendered HTML under ``/admin``. Everything but live updates works without a script."""
