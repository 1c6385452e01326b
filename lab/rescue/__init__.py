"""The hardware behind the Robot stand-in: machines that are reset, boot a rescue system, and are installed from it.

A rescue system is a real SSH server on loopback, one port a machine. What runs in it is played: a few commands, and
`installimage` with the checks of https://github.com/hetzneronline/installimage.
"""
