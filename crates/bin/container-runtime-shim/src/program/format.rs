//! What the first bytes of a program tell about whether the kernel can execute it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What keeps a program from being executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unexecutable {
    /// A script whose interpreter, or a binary whose loader, is not there.
    Interpreter {
        /// `#!` line or loader.
        kind: Kind,
        /// The missing file, as the program names it.
        path: String,
    },
    /// A binary for another machine.
    Architecture {
        /// Which, in Docker's names.
        built_for: String,
    },
}

/// What names the interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Script,
    Loader,
}

/// As much of a script's first line as the kernel looks at.
const HEAD: usize = 256;

/// Why it can't be executed; none where it can't be read or is of an unknown kind.
pub(super) fn examine(path: &Path) -> Option<Unexecutable> {
    let mut file = File::open(path).ok()?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).ok()?;
    if let Some(line) = head.strip_prefix(b"#!") {
        return missing(Kind::Script, &script_interpreter(line)?);
    }
    let elf = Elf::parse(&head)?;
    if !elf.runs_here() {
        return Some(Unexecutable::Architecture { built_for: elf.machine_name() });
    }
    missing(Kind::Loader, &elf.loader(&file)?)
}

fn missing(kind: Kind, interpreter: &str) -> Option<Unexecutable> {
    match Path::new(interpreter).metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some(Unexecutable::Interpreter { kind, path: interpreter.to_owned() })
        }
        _ => None,
    }
}

/// The first word after `#!`. A carriage return belongs to it, for the kernel as well.
fn script_interpreter(line: &[u8]) -> Option<String> {
    let line = line.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    Some(String::from_utf8_lossy(words.next()?).into_owned())
}

/// The fields of an ELF header that matter here.
struct Elf {
    wide: bool,
    little: bool,
    machine: u16,
    program_headers: u64,
    entry_size: u64,
    entries: u16,
}

impl Elf {
    fn parse(head: &[u8]) -> Option<Self> {
        if head.get(..4)? != b"\x7fELF" {
            return None;
        }
        let (wide, little) = (*head.get(4)? == 2, *head.get(5)? == 1);
        let reader = Reader { bytes: head, little };
        let (offset_at, size_at) = if wide { (32, 54) } else { (28, 42) };
        Some(Self {
            wide,
            little,
            machine: reader.u16(18)?,
            program_headers: reader.word(offset_at, wide)?,
            entry_size: reader.u16(size_at)?.into(),
            entries: reader.u16(size_at + 2)?,
        })
    }

    /// Whether the kernel may execute it: our own machine, or its 32-bit form.
    fn runs_here(&self) -> bool {
        match std::env::consts::ARCH {
            "x86_64" => matches!(self.machine, 62 | 3),
            "aarch64" => matches!(self.machine, 183 | 40),
            "riscv64" => self.machine == 243,
            "s390x" => self.machine == 22,
            "powerpc64" => self.machine == 21,
            _ => true,
        }
    }

    fn machine_name(&self) -> String {
        let endian = |little, big: &str| if self.little { little } else { big.to_owned() };
        match self.machine {
            3 => "386".to_owned(),
            8 => endian("mipsle".to_owned(), "mips"),
            21 => endian("ppc64le".to_owned(), "ppc64"),
            22 => "s390x".to_owned(),
            40 => "arm".to_owned(),
            62 => "amd64".to_owned(),
            183 => "arm64".to_owned(),
            243 => "riscv64".to_owned(),
            258 => "loong64".to_owned(),
            other => format!("ELF machine {other}"),
        }
    }

    /// The dynamic loader that it names (`PT_INTERP`).
    fn loader(&self, file: &File) -> Option<String> {
        const PT_INTERP: u32 = 3;
        for entry in 0..u64::from(self.entries.min(64)) {
            let mut header = [0; 56];
            let size = usize::try_from(self.entry_size).ok()?.min(header.len());
            let at = self.program_headers.checked_add(entry * self.entry_size)?;
            file.read_exact_at(&mut header[..size], at).ok()?;
            let reader = Reader { bytes: &header[..size], little: self.little };
            if reader.u32(0)? != PT_INTERP {
                continue;
            }
            let (offset_at, size_at) = if self.wide { (8, 32) } else { (4, 16) };
            let length = usize::try_from(reader.word(size_at, self.wide)?).ok().filter(|&n| n <= 4096)?;
            let mut name = vec![0; length];
            file.read_exact_at(&mut name, reader.word(offset_at, self.wide)?).ok()?;
            let name = name.split(|&byte| byte == 0).next()?;
            return Some(String::from_utf8_lossy(name).into_owned());
        }
        None
    }
}

/// Numbers in the byte order of the file.
struct Reader<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Reader<'_> {
    fn at<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..at + N)?.try_into().ok()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.at(at)?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.at(at)?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// 32 or 64 bits, as the class of the file has it.
    fn word(&self, at: usize, wide: bool) -> Option<u64> {
        if !wide {
            return self.u32(at).map(u64::from);
        }
        let bytes = self.at(at)?;
        Some(if self.little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unexecutable(content: &[u8]) -> Option<Unexecutable> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        std::fs::write(&path, content).unwrap();
        examine(&path)
    }

    fn script(path: &str) -> Option<Unexecutable> {
        Some(Unexecutable::Interpreter { kind: Kind::Script, path: path.to_owned() })
    }

    #[test]
    fn a_script_names_its_missing_interpreter() {
        assert_eq!(unexecutable(b"#! /no/such -x\necho"), script("/no/such"));
        assert_eq!(unexecutable(b"#!/bin/sh\r\necho\r\n"), script("/bin/sh\r"));
        assert_eq!(unexecutable(b"#!/bin/sh\n"), None);
        assert_eq!(unexecutable(b"#!"), None);
        assert_eq!(unexecutable(b"echo\n"), None);
    }

    #[test]
    fn a_binary_for_another_machine_names_it() {
        let mut elf = [0_u8; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[18..20].copy_from_slice(&22_u16.to_le_bytes());
        let expected = Unexecutable::Architecture { built_for: "s390x".to_owned() };
        if std::env::consts::ARCH != "s390x" {
            assert_eq!(unexecutable(&elf), Some(expected));
        }
        assert_eq!(unexecutable(&elf[..10]), None);
    }

    #[test]
    fn a_binary_without_its_loader_names_it() {
        let program = std::fs::read("/bin/ls").expect("a dynamic program");
        let marker = b"/lib64/ld-linux";
        let Some(at) = program.windows(marker.len()).position(|window| window == marker) else {
            return eprintln!("skipped: /bin/ls names no loader in /lib64");
        };
        let mut broken = program;
        broken[at..at + 5].copy_from_slice(b"/miss");
        assert!(matches!(unexecutable(&broken), Some(Unexecutable::Interpreter { kind: Kind::Loader, .. })));
        assert_eq!(examine(Path::new("/bin/ls")), None);
    }
}
