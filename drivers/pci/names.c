/* Tables sorted by nothing but subject: a look goes through them all, for a person who waits. */
#include "names.h"

#include <base/compiler.h>

#define ANY_SUBCLASS 0x100u

struct class_name {
    uint8_t class_code;
    uint16_t subclass; /* or ANY_SUBCLASS, behind the known ones */
    const char *name;
};

/* PCI Code and ID Assignment 1.11, 1 */
static const struct class_name class_names[] = {
    {0x00, 0x01, "VGA (old)"},
    {0x00, 0xff, "unclassified"},
    {0x01, 0x00, "SCSI"},
    {0x01, 0x01, "IDE"},
    {0x01, 0x02, "floppy"},
    {0x01, 0x04, "RAID"},
    {0x01, 0x06, "SATA"},
    {0x01, 0x07, "SAS"},
    {0x01, 0x08, "NVMe"},
    {0x01, 0x09, "UFS"},
    {0x01, ANY_SUBCLASS, "mass storage"},
    {0x02, 0x00, "Ethernet"},
    {0x02, 0x07, "InfiniBand"},
    {0x02, ANY_SUBCLASS, "network"},
    {0x03, 0x00, "VGA"},
    {0x03, 0x02, "3D"},
    {0x03, ANY_SUBCLASS, "display"},
    {0x04, 0x01, "audio (old)"},
    {0x04, 0x03, "audio"},
    {0x04, ANY_SUBCLASS, "multimedia"},
    {0x05, 0x00, "RAM"},
    {0x05, 0x01, "flash"},
    {0x05, 0x02, "CXL memory"},
    {0x05, ANY_SUBCLASS, "memory"},
    {0x06, 0x00, "host bridge"},
    {0x06, 0x01, "ISA bridge"},
    {0x06, 0x04, "PCI bridge"},
    {0x06, 0x07, "CardBus bridge"},
    {0x06, 0x09, "PCI bridge (semi-transparent)"},
    {0x06, ANY_SUBCLASS, "bridge"},
    {0x07, 0x00, "serial"},
    {0x07, 0x01, "parallel"},
    {0x07, 0x03, "modem"},
    {0x07, ANY_SUBCLASS, "communication"},
    {0x08, 0x00, "interrupt controller"},
    {0x08, 0x01, "DMA controller"},
    {0x08, 0x02, "timer"},
    {0x08, 0x03, "clock"},
    {0x08, 0x05, "SD host"},
    {0x08, 0x06, "IOMMU"},
    {0x08, ANY_SUBCLASS, "system"},
    {0x09, 0x00, "keyboard"},
    {0x09, 0x02, "mouse"},
    {0x09, ANY_SUBCLASS, "input"},
    {0x0a, ANY_SUBCLASS, "docking station"},
    {0x0b, ANY_SUBCLASS, "processor"},
    {0x0c, 0x00, "FireWire"},
    {0x0c, 0x03, "USB"},
    {0x0c, 0x05, "SMBus"},
    {0x0c, 0x07, "IPMI"},
    {0x0c, ANY_SUBCLASS, "serial bus"},
    {0x0d, 0x11, "Bluetooth"},
    {0x0d, 0x20, "wireless LAN"},
    {0x0d, 0x21, "wireless LAN"},
    {0x0d, ANY_SUBCLASS, "wireless"},
    {0x0f, ANY_SUBCLASS, "satellite"},
    {0x10, ANY_SUBCLASS, "encryption"},
    {0x11, ANY_SUBCLASS, "signal processing"},
    {0x12, ANY_SUBCLASS, "accelerator"},
    {0x13, ANY_SUBCLASS, "instrumentation"},
    {0xff, ANY_SUBCLASS, "unclassified"},
};

struct vendor_name {
    uint16_t vendor;
    const char *name;
};

static const struct vendor_name vendor_names[] = {
    {0x1000, "Broadcom LSI"},
    {0x1002, "AMD graphics"},
    {0x1013, "Cirrus Logic"},
    {0x1022, "AMD"},
    {0x102b, "Matrox"},
    {0x104c, "TI"},
    {0x106b, "Apple"},
    {0x10de, "NVIDIA"},
    {0x10ec, "Realtek"},
    {0x1106, "VIA"},
    {0x11ab, "Marvell"},
    {0x1234, "QEMU"},
    {0x126f, "Silicon Motion"},
    {0x1344, "Micron"},
    {0x1414, "Microsoft"},
    {0x144d, "Samsung"},
    {0x14e4, "Broadcom"},
    {0x15ad, "VMware"},
    {0x15b3, "Mellanox"},
    {0x15b7, "SanDisk"},
    {0x168c, "Atheros"},
    {0x17cb, "Qualcomm"},
    {0x1912, "Renesas"},
    {0x197b, "JMicron"},
    {0x1987, "Phison"},
    {0x1a03, "ASPEED"},
    {0x1ae0, "Google"},
    {0x1af4, "Red Hat"},
    {0x1b21, "ASMedia"},
    {0x1b36, "Red Hat"},
    {0x1b4b, "Marvell"},
    {0x1c5c, "SK hynix"},
    {0x1cc1, "ADATA"},
    {0x1d0f, "Amazon"},
    {0x1d94, "Hygon"},
    {0x2646, "Kingston"},
    {0x5853, "Xen"},
    {0x8086, "Intel"},
    {0x80ee, "VirtualBox"},
    {0xc0a9, "Crucial"},
};

struct device_name {
    uint16_t vendor, device;
    const char *name;
};

static const struct device_name device_names[] = {
    /* Chipsets of emulators */
    {0x8086, 0x1237, "440FX"},
    {0x8086, 0x7000, "PIIX3"},
    {0x8086, 0x7010, "PIIX3"},
    {0x8086, 0x7020, "PIIX3"},
    {0x8086, 0x7110, "PIIX4"},
    {0x8086, 0x7111, "PIIX4"},
    {0x8086, 0x7113, "PIIX4 power management"},
    {0x8086, 0x29c0, "Q35"},
    {0x8086, 0x2918, "ICH9"},
    {0x8086, 0x2922, "ICH9 AHCI"},
    {0x8086, 0x2930, "ICH9"},
    {0x8086, 0x2934, "ICH9 UHCI"},
    {0x8086, 0x2935, "ICH9 UHCI"},
    {0x8086, 0x2936, "ICH9 UHCI"},
    {0x8086, 0x2937, "ICH9 UHCI"},
    {0x8086, 0x2938, "ICH9 UHCI"},
    {0x8086, 0x2939, "ICH9 UHCI"},
    {0x8086, 0x293a, "ICH9 EHCI"},
    {0x8086, 0x293c, "ICH9 EHCI"},
    {0x8086, 0x293e, "ICH9 HD"},
    {0x8086, 0x244e, "82801"},
    {0x8086, 0x3420, "5520 root port"},
    /* Cards */
    {0x8086, 0x100e, "82540EM gigabit"},
    {0x8086, 0x10d3, "82574L gigabit"},
    {0x8086, 0x1209, "82551 fast"},
    {0x8086, 0x2415, "AC'97"},
    {0x8086, 0x2668, "ICH6 HD"},
    {0x8086, 0x5845, "QEMU's NVMe (old)"},
    {0x1013, 0x00b8, "GD 5446"},
    {0x1022, 0x2000, "PCnet"},
    {0x104c, 0x8232, "XIO3130 upstream port"},
    {0x104c, 0x8233, "XIO3130 downstream port"},
    {0x10ec, 0x8139, "RTL8139"},
    {0x10ec, 0x8168, "RTL8111"},
    {0x1234, 0x1111, "standard graphics"},
    {0x15ad, 0x0405, "SVGA II"},
    {0x15ad, 0x07b0, "VMXNET3"},
    {0x15ad, 0x07c0, "PVSCSI"},
    {0x80ee, 0xbeef, "graphics"},
    /* QEMU's own */
    {0x1b36, 0x0001, "bridge"},
    {0x1b36, 0x0002, "1 port"},
    {0x1b36, 0x0003, "2 ports"},
    {0x1b36, 0x0004, "4 ports"},
    {0x1b36, 0x0005, "test device"},
    {0x1b36, 0x0007, "SDHCI"},
    {0x1b36, 0x0008, "PCI Express"},
    {0x1b36, 0x0009, "expander"},
    {0x1b36, 0x000b, "PCI Express expander"},
    {0x1b36, 0x000c, "root port"},
    {0x1b36, 0x000d, "xHCI"},
    {0x1b36, 0x000e, "PCI Express to PCI"},
    {0x1b36, 0x0010, "NVMe"},
    {0x1b36, 0x0011, "pvpanic"},
    {0x1b36, 0x0100, "QXL"},
    /* virtio: transitional functions, and 0x1040 and the type (virtio 1.2 4.1.2.1) */
    {0x1af4, 0x1000, "virtio network"},
    {0x1af4, 0x1001, "virtio block"},
    {0x1af4, 0x1002, "virtio balloon"},
    {0x1af4, 0x1003, "virtio console"},
    {0x1af4, 0x1004, "virtio SCSI"},
    {0x1af4, 0x1005, "virtio entropy"},
    {0x1af4, 0x1009, "virtio 9P"},
    {0x1af4, 0x1041, "virtio network"},
    {0x1af4, 0x1042, "virtio block"},
    {0x1af4, 0x1043, "virtio console"},
    {0x1af4, 0x1044, "virtio entropy"},
    {0x1af4, 0x1045, "virtio balloon"},
    {0x1af4, 0x1048, "virtio SCSI"},
    {0x1af4, 0x1049, "virtio 9P"},
    {0x1af4, 0x1050, "virtio GPU"},
    {0x1af4, 0x1052, "virtio input"},
    {0x1af4, 0x1053, "virtio socket"},
    {0x1af4, 0x1054, "virtio crypto"},
    {0x1af4, 0x1057, "virtio IOMMU"},
    {0x1af4, 0x1058, "virtio memory"},
    {0x1af4, 0x1059, "virtio sound"},
    {0x1af4, 0x105a, "virtio file system"},
    {0x1af4, 0x1110, "shared memory"},
};

const char *pci_class_name(uint32_t class_code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(class_names); i++)
        if (class_names[i].class_code == class_code >> 16 &&
            (class_names[i].subclass == (class_code >> 8 & 0xff) || class_names[i].subclass == ANY_SUBCLASS))
            return class_names[i].name;
    return "other";
}

const char *pci_vendor_name(uint16_t vendor)
{
    for (unsigned i = 0; i < ARRAY_SIZE(vendor_names); i++)
        if (vendor_names[i].vendor == vendor)
            return vendor_names[i].name;
    return NULL;
}

const char *pci_device_words(uint16_t vendor, uint16_t device)
{
    for (unsigned i = 0; i < ARRAY_SIZE(device_names); i++)
        if (device_names[i].vendor == vendor && device_names[i].device == device)
            return device_names[i].name;
    return NULL;
}
