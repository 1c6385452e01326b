"""Machines for tests and the demo: QEMU behind a Redfish or IPMI controller, on a provisioning network of their own.

Everything on it is real but the iron: firmware, iPXE, dnsmasq, kernels, disks. Where not even that is wanted, there
are fake BMCs over HTTP.
"""
