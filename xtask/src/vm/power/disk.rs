//! A disk with a cache that forgets: what the guest did not flush may be lost when the power goes.
//!
//! Killing QEMU alone loses only the guest's memory, since the host keeps whatever QEMU has written. So QEMU speaks to
//! this server by NBD (fixed newstyle negotiation, simple replies). Writes stay in memory, sector by sector, until the
//! guest's kernel asks for a flush; then they go to the file. At a cut an arbitrary part of them reaches the file, in no
//! order, down to single sectors of 512 bytes: the worst that a drive with a volatile cache may do.

use super::random::Random;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

const SECTOR: usize = 512;
/// Transmission flags: there are flags, and a flush.
const FLAGS: u16 = 1 | 4;
const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
const REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;

/// The file, and what has not come to it yet.
pub(super) struct Disk {
    file: File,
    size: u64,
    cache: BTreeMap<u64, [u8; SECTOR]>,
}

/// What became of the cache at a cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost {
    pub(super) sectors: usize,
    pub(super) of: usize,
}

impl Disk {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size, cache: BTreeMap::new() })
    }

    /// Serves one machine until it is gone.
    pub(super) fn serve(&mut self, listener: &UnixListener) -> Result<()> {
        let (mut out, _) = listener.accept().context("accept QEMU")?;
        let mut input = BufReader::new(out.try_clone()?);
        if self.negotiate(&mut input, &mut out)? {
            // A machine that is killed hangs up in the midst of anything.
            while let Ok(request) = Request::read(&mut input) {
                if self.answer(&request, &mut input, &mut out).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The power goes: of what is in the cache, all, nothing or any part reaches the file.
    pub(super) fn cut(&mut self, random: &mut Random) -> Result<Lost> {
        let of = self.cache.len();
        // In hundredths.
        let kept = [0, 100, 50, 10, 90][usize::try_from(random.below(5))?];
        self.cache.retain(|_, _| random.below(100) < kept);
        let sectors = of - self.cache.len();
        self.flush()?;
        Ok(Lost { sectors, of })
    }

    fn negotiate(&self, input: &mut impl Read, out: &mut UnixStream) -> Result<bool> {
        out.write_all(b"NBDMAGIC")?;
        out.write_all(&OPTION_MAGIC.to_be_bytes())?;
        // Fixed newstyle, and no zeroes behind the answer to the oldest option.
        out.write_all(&3_u16.to_be_bytes())?;
        let _client_flags: [u8; 4] = take(input)?;
        loop {
            if u64::from_be_bytes(take(input)?) != OPTION_MAGIC {
                bail!("QEMU speaks no NBD");
            }
            let option = u32::from_be_bytes(take(input)?);
            let mut data = vec![0; u32::from_be_bytes(take(input)?) as usize];
            input.read_exact(&mut data)?;
            match option {
                // NBD_OPT_EXPORT_NAME
                1 => {
                    out.write_all(&[&self.size.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat())?;
                    return Ok(true);
                }
                // NBD_OPT_ABORT
                2 => {
                    reply(out, option, 1, &[])?;
                    return Ok(false);
                }
                // NBD_OPT_INFO, NBD_OPT_GO: NBD_REP_INFO with NBD_INFO_EXPORT, NBD_REP_ACK
                6 | 7 => {
                    let info = [&[0, 0][..], &self.size.to_be_bytes(), &FLAGS.to_be_bytes()].concat();
                    reply(out, option, 3, &info)?;
                    reply(out, option, 1, &[])?;
                    if option == 7 {
                        return Ok(true);
                    }
                }
                // NBD_REP_ERR_UNSUP
                _ => reply(out, option, 0x8000_0001, &[])?,
            }
        }
    }

    fn answer(&mut self, request: &Request, input: &mut impl Read, out: &mut UnixStream) -> Result<()> {
        let mut data = vec![0; if request.kind < 2 { request.length as usize } else { 0 }];
        let done = match request.kind {
            0 => self.read(request.offset, &mut data),
            1 => {
                input.read_exact(&mut data)?;
                self.write(request.offset, &data)
            }
            2 => bail!("the machine is switched off"),
            3 => self.flush(),
            kind => bail!("QEMU asks for what was not offered: {kind}"),
        };
        // EIO
        let error: u32 = if done.is_ok() { 0 } else { 5 };
        let head = [&0x6744_6698_u32.to_be_bytes()[..], &error.to_be_bytes(), &request.handle].concat();
        out.write_all(&head)?;
        if request.kind == 0 && error == 0 {
            out.write_all(&data)?;
        }
        Ok(())
    }

    fn read(&self, offset: u64, data: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(data, offset)?;
        let first = sector_of(offset, data.len())?;
        let length = (data.len() / SECTOR) as u64;
        for (sector, content) in self.cache.range(first..first + length) {
            let at = usize::try_from(sector - first)? * SECTOR;
            data[at..at + SECTOR].copy_from_slice(content);
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        let first = sector_of(offset, data.len())?;
        let (sectors, _) = data.as_chunks::<SECTOR>();
        self.cache.extend((first..).zip(sectors.iter().copied()));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        while let Some((sector, content)) = self.cache.pop_first() {
            self.file.write_all_at(&content, sector * SECTOR as u64)?;
        }
        Ok(())
    }
}

/// The first sector of a piece, which has to consist of whole ones.
fn sector_of(offset: u64, length: usize) -> Result<u64> {
    let sector = SECTOR as u64;
    if !offset.is_multiple_of(sector) || !length.is_multiple_of(SECTOR) {
        bail!("{length} bytes at {offset} are no whole sectors");
    }
    Ok(offset / sector)
}

struct Request {
    kind: u16,
    handle: [u8; 8],
    offset: u64,
    length: u32,
}

impl Request {
    fn read(input: &mut impl Read) -> Result<Self> {
        if u32::from_be_bytes(take(input)?) != 0x2560_9513 {
            bail!("no request of NBD");
        }
        let _flags: [u8; 2] = take(input)?;
        Ok(Self {
            kind: u16::from_be_bytes(take(input)?),
            handle: take(input)?,
            offset: u64::from_be_bytes(take(input)?),
            length: u32::from_be_bytes(take(input)?),
        })
    }
}

fn take<const LENGTH: usize>(input: &mut impl Read) -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn reply(out: &mut UnixStream, option: u32, kind: u32, data: &[u8]) -> Result<()> {
    let length = u32::try_from(data.len())?;
    let head = [option, kind, length].map(u32::to_be_bytes).concat();
    Ok(out.write_all(&[&REPLY_MAGIC.to_be_bytes()[..], &head, data].concat())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(directory: &Path) -> Disk {
        let path = directory.join("disk");
        std::fs::write(&path, vec![0; 8 * SECTOR]).unwrap();
        Disk::open(&path).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_what_is_flushed_is_never_lost() {
        let directory = std::env::temp_dir().join(format!("power-disk-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut disk = disk(&directory);
        disk.write(512, &[1; 1024]).unwrap();
        disk.flush().unwrap();
        disk.write(1024, &[2; 1024]).unwrap();
        let mut data = vec![0; 2048];
        disk.read(0, &mut data).unwrap();
        assert_eq!([data[511], data[512], data[1024], data[2047]], [0, 1, 2, 2]);
        let (mut kept, mut lost) = (0, 0);
        for seed in 0..40 {
            disk.write(1024, &[3; 1024]).unwrap();
            let cut = disk.cut(&mut Random::new(seed)).unwrap();
            assert_eq!(cut.of, 2);
            (kept, lost) = (kept + cut.of - cut.sectors, lost + cut.sectors);
            disk.read(0, &mut data).unwrap();
            assert_eq!(data[512], 1, "flushed");
        }
        assert!(kept > 0 && lost > 0, "{kept} {lost}");
        assert!(disk.write(100, &[0; 512]).is_err());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
