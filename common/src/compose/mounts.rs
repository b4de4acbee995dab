//! What is mounted into a container: volumes of the project's own, and memory. Never a path of the host.

use compose_spec::service::volumes::{ShortVolume, Source};
use indexmap::IndexMap;

use super::at::{At, chain};
use super::{ComposeError, MountSpec, VolumeSpec};

type Tmpfs = IndexMap<String, String>;

const HOST_PATH: &str = "mounts a path of the host, which would let a tenant reach the host; use a named volume";

/// The `volumes` and `tmpfs` of a service.
pub(super) fn read(service: &At<'_>, declared: &[VolumeSpec]) -> Result<(Vec<MountSpec>, Tmpfs), ComposeError> {
    let mut mounts: Vec<MountSpec> = Vec::new();
    let mut tmpfs = Tmpfs::new();
    if let Some(listed) = service.field("volumes") {
        for item in listed.items()? {
            match item.value.is_object() {
                true => long(&item, declared, &mut mounts, &mut tmpfs)?,
                false => mounts.push(short(&item, declared)?),
            }
        }
    }
    if let Some(listed) = service.field("tmpfs") {
        for text in listed.texts()? {
            let (path, options) = text.split_once(':').unwrap_or((&text, ""));
            tmpfs.insert(clean(path, &listed)?, options.to_owned());
        }
    }
    let target = |mount: &MountSpec| match mount {
        MountSpec::Volume { target, .. } | MountSpec::Anonymous { target } => target.clone(),
    };
    let mut targets: Vec<String> = mounts.iter().map(target).chain(tmpfs.keys().cloned()).collect();
    targets.sort();
    if let Some(twice) = targets.windows(2).find(|pair| pair[0] == pair[1]) {
        return service.refuse(format!("mounts two things at {}", twice[0]));
    }
    Ok((mounts, tmpfs))
}

/// An absolute path in the container.
pub(super) fn absolute(at: &At<'_>) -> Result<String, ComposeError> {
    clean(&at.text()?, at)
}

fn clean(path: &str, at: &At<'_>) -> Result<String, ComposeError> {
    if path.starts_with('/') && !path.chars().any(char::is_control) {
        Ok(path.to_owned())
    } else {
        at.refuse(format!("{path:?} is no absolute path in the container"))
    }
}

fn volume(
    key: &str,
    target: String,
    read_only: bool,
    declared: &[VolumeSpec],
    at: &At<'_>,
) -> Result<MountSpec, ComposeError> {
    if declared.iter().any(|volume| volume.key == key) {
        Ok(MountSpec::Volume { key: key.to_owned(), target, read_only })
    } else {
        at.refuse(format!("there is no volume {key:?} at the top of the file"))
    }
}

/// `/path`, `name:/path`, `name:/path:ro`.
fn short(at: &At<'_>, declared: &[VolumeSpec]) -> Result<MountSpec, ComposeError> {
    let text = at.text()?;
    // Compose takes it for the home of whoever runs it; the crate does not know it.
    if text.starts_with('~') {
        return at.refuse(HOST_PATH);
    }
    let parsed: ShortVolume = text.parse().or_else(|error| at.refuse(chain(&error)))?;
    let target = clean(&parsed.container_path.as_path().to_string_lossy(), at)?;
    let Some(options) = parsed.options else { return Ok(MountSpec::Anonymous { target }) };
    if options.selinux.is_some() {
        return at.refuse("may have the option ro or rw only");
    }
    match options.source {
        Source::HostPath(_) => at.refuse(HOST_PATH),
        Source::Volume(key) => volume(key.as_str(), target, options.read_only, declared, at),
    }
}

fn long(
    at: &At<'_>,
    declared: &[VolumeSpec],
    mounts: &mut Vec<MountSpec>,
    tmpfs: &mut Tmpfs,
) -> Result<(), ComposeError> {
    let kind = at.needed("type")?;
    match kind.text()?.as_str() {
        "volume" => {
            at.only(&["type", "source", "target", "read_only"])?;
            let target = absolute(&at.needed("target")?)?;
            let read_only = at.field("read_only").map_or(Ok(false), |flag| flag.flag())?;
            mounts.push(match at.field("source") {
                Some(source) => volume(&source.text()?, target, read_only, declared, &source)?,
                None if read_only => return at.refuse("an anonymous volume that is read-only stays empty for ever"),
                None => MountSpec::Anonymous { target },
            });
        }
        "tmpfs" => {
            at.only(&["type", "target", "tmpfs"])?;
            let mut options = Vec::new();
            if let Some(block) = at.field("tmpfs") {
                block.only(&["size", "mode"])?;
                if let Some(size) = block.field("size") {
                    options.push(format!("size={}", size.bytes()?));
                }
                if let Some(mode) = block.field("mode") {
                    // YAML has it as a number or, with its leading 0, as a text of octal digits.
                    let text = if mode.value.is_string() { mode.text()? } else { format!("{:o}", mode.whole()?) };
                    if !text.bytes().all(|b| b.is_ascii_digit()) {
                        return mode.refuse("must be octal digits");
                    }
                    options.push(format!("mode={text}"));
                }
            }
            tmpfs.insert(absolute(&at.needed("target")?)?, options.join(","));
        }
        "bind" | "npipe" => return kind.refuse(HOST_PATH),
        _ => return kind.refuse("must be volume or tmpfs"),
    }
    Ok(())
}
