# Makes OUTPUT, a bootable image, out of KERNEL and the GRUB configuration CONFIG (cmake -P; called by iso.cmake).
# Nothing in it depends on the time, the path or the machine.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "keel.iso: failed (${result}): ${command}\n${output}")
  endif()
endfunction()

# What GRUB needs at run time. Only names both platforms have: all_video brings vbe on one and efi_gop on the other. The
# loader grub-mkrescue embeds wants every partition map there is.
set(modules
  part_acorn part_amiga part_apple part_bsd part_dfly part_dvh part_gpt part_msdos part_plan part_sun part_sunpc
  iso9660 search normal configfile all_video serial terminal test true echo eval regexp smbios
  multiboot2 boot minicmd reboot halt)

list(JOIN modules " " module_words)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/tree/boot/grub" "${WORK}/bin")

# GRUB loads debugging sections too: the boot copy goes without. Stripping must leave the Multiboot2 header where GRUB
# looks for it, in the first 32 KiB.
run("${OBJCOPY}" --strip-all "${KERNEL}" "${WORK}/tree/boot/keel.elf")
run("${GRUB_FILE}" --is-x86-multiboot2 "${WORK}/tree/boot/keel.elf")
configure_file("${CONFIG}" "${WORK}/tree/boot/grub/grub.cfg" COPYONLY)

# GRUB finds its volume by its date, so that must differ between two images, and not between two builds of one: it is a
# second of the year 2026 picked by the contents.
file(SHA256 "${WORK}/tree/boot/keel.elf" kernel_hash)
file(SHA256 "${CONFIG}" config_hash)
string(SHA256 hash "${kernel_hash}${config_hash}")
string(SUBSTRING "${hash}" 0 6 hash)
set(epoch 1767225600) # 2026-01-01 00:00:00 UTC
math(EXPR volume_second "${epoch} + 0x${hash}")
set(ENV{TZ} UTC)
set(ENV{SOURCE_DATE_EPOCH} "${volume_second}")
string(TIMESTAMP volume_date "%Y%m%d%H%M%S00" UTC)

# The FAT image inside gets its serial number from the clock unless told: grub-mkrescue finds this mformat first.
string(TOUPPER "${hash}" serial)
file(WRITE "${WORK}/bin/mformat" "#!/bin/sh\nexec '${MFORMAT}' -N 4B${serial} \"$@\"\n")
file(CHMOD "${WORK}/bin/mformat" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
set(ENV{PATH} "${WORK}/bin:$ENV{PATH}")

# mbr_force_bootable marks a partition active, which some old BIOSes want of a stick.
run("${GRUB_MKRESCUE}" -o "${OUTPUT}.new" --fonts= --locales= --themes= "--install-modules=${module_words}" "${WORK}/tree"
    -- -volid KEEL -volume_date uuid "${volume_date}" -volume_date all_file_dates "=${epoch}"
    -boot_image any mbr_force_bootable=on)
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
