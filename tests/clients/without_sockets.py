#!/usr/bin/env python3
"""Runs a program to which the kernel denies some sockets, as a kernel does that lacks what they lead to.

    without_sockets.py FAMILY:PROTOCOL:ERROR ... -- PROGRAM ARGUMENTS

Numbers as in socket(2) and errno(3), PROTOCOL may be `any`. Whatever the program starts is denied them too.
"""
import ctypes
import os
import platform
import struct
import sys

SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
# Words of BPF (linux/filter.h, linux/seccomp.h): load a word of the call, compare, answer.
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
NUMBER, FIRST, THIRD = 0, 16, 32


def rule(family, protocol, error):
    """Instructions that deny one kind of socket and else go on behind their end."""
    answer = [(ANSWER, 0, 0, ERRNO | int(error))]
    if protocol != "any":
        answer = [(LOAD, 0, 0, THIRD), (EQUAL, 0, len(answer), int(protocol)), *answer]
    return [(LOAD, 0, 0, FIRST), (EQUAL, 0, len(answer), int(family)), *answer]


def main():
    end = sys.argv.index("--")
    denied = [one for text in sys.argv[1:end] for one in rule(*text.split(":"))]
    program = [(LOAD, 0, 0, NUMBER), (EQUAL, 0, len(denied), SOCKET), *denied, (ANSWER, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    filter = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter), 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])


main()
