# The sample unikernel: a multiboot kernel that says hello on the first serial port (COM1) and halts.
# Build: as --32 -o hello.o hello.S && ld -m elf_i386 -Ttext 0x100000 --build-id=none -n -s -o hello.elf hello.o
# Boot:  qemu-system-x86_64 -kernel hello.elf -nographic        (Ctrl+A, then X, leaves QEMU)

    .set    MAGIC, 0x1BADB002           # what a multiboot loader looks for in the first 8 KiB
    .set    FLAGS, 0
    .set    COM1, 0x3F8
    .set    LINE_STATUS, COM1 + 5
    .set    SENDER_EMPTY, 0x20

    .text
    .globl  _start

    .balign 4
    .long   MAGIC, FLAGS, -(MAGIC + FLAGS)

_start:
    cld
    mov     $message, %esi
next:
    mov     $LINE_STATUS, %dx
ready:
    in      %dx, %al
    test    $SENDER_EMPTY, %al
    jz      ready
    lodsb
    test    %al, %al
    jz      halt
    mov     $COM1, %dx
    out     %al, %dx
    jmp     next

halt:                                   # no interrupt is enabled, so hlt never comes back, but for an NMI
    cli
    hlt
    jmp     halt

message:
    .asciz  "Hello from ImagesFunctions\r\n"
