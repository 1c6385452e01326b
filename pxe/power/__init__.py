"""Power and boot order of machines, by whatever their BMC speaks."""
