"""The application's database: base classes, transactions and migrations."""
