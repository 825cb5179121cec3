/* The program in the embedded image: prints how to go on and exits. No C library, so that it stays below two
 * kilobytes; the two system calls are made by hand. */

static const char TEXT[] =
    "\n"
    "Hello from container-runtime!\n"
    "\n"
    "This text says that your installation works. To print it,\n"
    " 1. the client asked the engine to run the image \"hello-world\",\n"
    " 2. the engine took that image out of its own program, without a network,\n"
    " 3. and started a container from it, whose only process wrote these lines.\n"
    "\n"
    "How to go on:\n"
    "  container-runtime load -i image.tar           images from `docker save`\n"
    "  container-runtime import rootfs.tar my/image  an image from a root file system\n"
    "  container-runtime run --rm -it my/image sh    a shell in a container of it\n"
    "  container-runtime ps -a                       all containers, this one too\n"
    "  container-runtime --help                      everything else\n"
    "\n";

static long call(long number, long a, long b, long c)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#else
#error "add the system calls of this architecture"
#endif
}

#if defined(__x86_64__)
enum { WRITE = 1, EXIT_GROUP = 231 };
#else
enum { WRITE = 64, EXIT_GROUP = 94 };
#endif

void _start(void)
{
    const char *at = TEXT;
    long left = sizeof TEXT - 1;
    long status = 0;
    while (left > 0) {
        long written = call(WRITE, 1, (long)at, left);
        if (written <= 0) {
            status = 1;
            break;
        }
        at += written;
        left -= written;
    }
    call(EXIT_GROUP, status, 0, 0);
    __builtin_unreachable();
}
