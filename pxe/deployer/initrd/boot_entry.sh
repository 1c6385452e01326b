# How UEFI firmware finds the installed system. BIOS firmware needs nothing: it starts the disk's first sector.

# set_boot_entry NAME...: one entry a disk, in the place of those of an earlier installation.
set_boot_entry() {
    [ -d "$SYS/firmware/efi" ] || return 0
    # Where the hosting provider's network has to stay first, or its rescue system is never reached again. Firmware finds
    # EFI/BOOT/BOOTX64.EFI on the disk after it, as on any disk.
    [ "$(setting slipway.entered)" != rescue ] || return 0
    for entry in $(efibootmgr | sed -n 's/^Boot\([0-9A-F]\{4\}\)\*\{0,1\} Slipway.*/\1/p'); do
        efibootmgr --quiet --bootnum "$entry" --delete-bootnum
    done
    for disk in "$@"; do
        number=$(esp_number "$disk") || continue
        efibootmgr --quiet --create --disk "$DEV/$disk" --part "$number" --label "Slipway $disk" \
            --loader '\EFI\BOOT\BOOTX64.EFI' || fail configure boot_entry 'the firmware did not take the boot entry'
    done
}

# The number of the EFI system partition: by its type's GUID.
esp_number() {
    for name in $(partitions "$1"); do
        if [ "$(blkid -p -o value -s PART_ENTRY_TYPE "$DEV/$name")" = c12a7328-f81f-11d2-ba4b-00a0c93ec93b ]; then
            cat "$SYS/block/$1/$name/partition"
            return 0
        fi
    done
    return 1
}
