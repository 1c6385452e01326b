"""Installers' and cloud-init's files, made of a ``BootProfile`` by the right serialisers. All pure.

A profile's keys and names are checked by its specs; here each is quoted again by the rules of the file it goes into, so
that a hole in one place is no hole.
"""
