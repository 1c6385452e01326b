"""Looks at the world: scans nodes and zones for drift, has the engine look closer, sweeps for orphans."""
