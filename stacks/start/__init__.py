"""The start of the Pulumi CLI's run of a program."""
