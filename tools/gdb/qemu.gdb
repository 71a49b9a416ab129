# For QEMU itself under gdb. Its CPU threads are woken by SIGUSR1; that is no event.
handle SIGUSR1 nostop noprint pass
set confirm off
set debuginfod enabled off
