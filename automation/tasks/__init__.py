"""Celery tasks: thin functions that call services. The job contract they implement is ``api.jobs``."""
