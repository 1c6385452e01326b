"""What a machine that boots over the network is told, and what it is believed. HTTP is ``pxe.boot``'s business."""
