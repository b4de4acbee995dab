//! How much of the host a container may take, in both places where Compose has it.

use super::ComposeError;
use super::at::At;

/// Of a service; `None` is without limit.
pub(super) struct Limits {
    pub memory: Option<i64>,
    pub memory_swap: Option<i64>,
    pub nano_cpus: Option<i64>,
    pub pids: Option<i64>,
}

/// The kernel's period for a quota when nobody says, in microseconds.
const CPU_PERIOD: f64 = 100_000.0;

/// Reads the limits of a service.
pub(super) fn read(service: &At<'_>) -> Result<Limits, ComposeError> {
    let mut deployed = None;
    if let Some(deploy) = service.field("deploy") {
        deploy.only(&["resources"])?;
        if let Some(resources) = deploy.field("resources") {
            resources.only(&["limits"])?;
            if let Some(limits) = resources.field("limits") {
                limits.only(&["cpus", "memory", "pids"])?;
                deployed = Some(limits);
            }
        }
    }
    let of_deploy = |key: &str| deployed.as_ref().and_then(|limits| limits.field(key));
    let quota = match service.field("cpu_quota") {
        None => match service.field("cpu_period") {
            None => None,
            Some(period) => return period.refuse("says nothing without cpu_quota"),
        },
        Some(quota) => {
            let period = service.field("cpu_period").map_or(Ok(CPU_PERIOD), |at| microseconds(&at))?;
            Some((microseconds(&quota)? / period, quota))
        }
    };
    let cpus = |at: At<'_>| at.number().map(|cpus| (cpus, at.path));
    let said = [
        service.field("cpus").map(cpus).transpose()?,
        of_deploy("cpus").map(cpus).transpose()?,
        quota.map(|(cpus, at)| (cpus, at.path)),
    ];
    let nano = |(cpus, path): (f64, String)| match (cpus * 1e9).round() {
        // A thousand processors are more than a host has; what is below a hundredth the engine refuses.
        nano if (1e7..=1e12).contains(&nano) => Ok((nano as i64, path)),
        _ => Err(ComposeError::new(path, "must be 0.01 to 1000 processors")),
    };
    let nano_cpus = agreed(said.map(|said| said.map(nano)))?;
    let memory = |at: At<'_>| match at.bytes()? {
        0 => at.refuse("must be more than nothing"),
        bytes => Ok((bytes, at.path)),
    };
    let memory = agreed([service.field("mem_limit").map(memory), of_deploy("memory").map(memory)])?;
    let pids = |at: At<'_>| match at.whole()? {
        -1 => Ok((-1, at.path)),
        count if count > 0 => Ok((count, at.path)),
        _ => at.refuse("must be a number of processes, or -1 for no limit"),
    };
    let pids = agreed([service.field("pids_limit").map(pids), of_deploy("pids").map(pids)])?;
    let memory_swap = service.field("memswap_limit").map(|at| swap(&at, memory)).transpose()?;
    Ok(Limits { memory, memory_swap, nano_cpus, pids: pids.filter(|count| *count > 0) })
}

fn microseconds(at: &At<'_>) -> Result<f64, ComposeError> {
    let value = at.number().or_else(|_| at.duration().map(|duration| duration.as_secs_f64() * 1e6))?;
    if value > 0.0 { Ok(value) } else { at.refuse("must be more than nothing") }
}

fn swap(at: &At<'_>, memory: Option<i64>) -> Result<i64, ComposeError> {
    if at.text()? == "-1" {
        return Ok(-1);
    }
    let bytes = at.bytes()?;
    match memory {
        None => at.refuse("says nothing without mem_limit"),
        Some(memory) if bytes < memory => at.refuse("counts memory and swap together, so it cannot be below mem_limit"),
        Some(_) => Ok(bytes),
    }
}

/// The one value of a limit that may be written in several places.
fn agreed<const N: usize>(said: [Option<Result<(i64, String), ComposeError>>; N]) -> Result<Option<i64>, ComposeError> {
    let mut first: Option<(i64, String)> = None;
    for next in said.into_iter().flatten() {
        let (value, path) = next?;
        match &first {
            Some((earlier, there)) if *earlier != value => {
                return Err(ComposeError::new(path, format!("says another limit than {there}")));
            }
            Some(_) => {}
            None => first = Some((value, path)),
        }
    }
    Ok(first.map(|(value, _)| value))
}
