//! What is asked of a list, from the texts of a query; pure. Pages and JSON take the same.

use common::model::{FlavorId, HostId, HostPurpose, PhaseKind, UserId};
use common::store::{
    ClusterQuery, ClusterSort, Cursor, Direction, FailureQuery, FailureSort, HealthKind, HostQuery, HostSort,
    HostStateKind, ListPage, RecordQuery, RecordSort, Search, Sort,
};

use super::{ClusterList, Refusal, limit_of};
use crate::input::Query;

/// The texts of a query.
pub struct ListInput<'a>(pub &'a Query);

/// The way in which people read an order first.
pub trait Natural: Sort {
    /// Names from A on, times from the latest on, numbers from the greatest on.
    fn natural(self) -> Direction;
}

impl Natural for ClusterSort {
    fn natural(self) -> Direction {
        match self {
            ClusterSort::Name | ClusterSort::Flavor => Direction::Ascending,
            ClusterSort::Created | ClusterSort::Changed => Direction::Descending,
        }
    }
}

impl Natural for RecordSort {
    fn natural(self) -> Direction {
        match self {
            RecordSort::Ended | RecordSort::Applied | RecordSort::Held => Direction::Descending,
        }
    }
}

impl Natural for HostSort {
    fn natural(self) -> Direction {
        match self {
            HostSort::Name | HostSort::State => Direction::Ascending,
            HostSort::Capacity | HostSort::Clusters | HostSort::Created => Direction::Descending,
        }
    }
}

impl Natural for FailureSort {
    fn natural(self) -> Direction {
        match self {
            FailureSort::Name => Direction::Ascending,
            FailureSort::Failed => Direction::Descending,
        }
    }
}

impl ListInput<'_> {
    /// Parameters of clusters beside `type` and `phase`.
    pub const CLUSTERS: [&'static str; 9] = ["host", "user", "flavor", "health", "q", "sort", "dir", "after", "limit"];
    /// Parameters of records.
    pub const RECORDS: [&'static str; 8] = ["host", "user", "flavor", "q", "sort", "dir", "after", "limit"];
    /// Parameters of hosts.
    pub const HOSTS: [&'static str; 8] = ["state", "schedulable", "purpose", "q", "sort", "dir", "after", "limit"];
    /// Parameters of failures.
    pub const FAILURES: [&'static str; 7] = ["host", "flavor", "q", "sort", "dir", "after", "limit"];

    /// Clusters of a list, or in some phases of it.
    pub fn clusters(&self, list: Option<ClusterList>) -> Result<ClusterQuery, Refusal> {
        let usual = match list {
            None | Some(ClusterList::Existing | ClusterList::Active) => ClusterSort::Name,
            Some(ClusterList::InUse | ClusterList::Released | ClusterList::Failed) => ClusterSort::Changed,
        };
        let of_list = list.map_or_else(|| PhaseKind::ALL.to_vec(), ClusterList::phases);
        let phases = match self.phases(&of_list)? {
            // No phase is left out, so the store need not ask for any.
            None if of_list.len() == PhaseKind::ALL.len() => Vec::new(),
            None => of_list,
            Some(phases) => phases,
        };
        let health = self.0.get("health").map(|text| one_of("health", text, &HealthKind::ALL, HealthKind::as_str));
        Ok(ClusterQuery {
            phases,
            host: self.host()?,
            user: self.user()?,
            flavor: self.flavor()?,
            health: health.transpose()?,
            search: self.search()?,
            page: self.page(usual)?,
        })
    }

    /// Those of the list's phases that are asked for, whatever else is; `None`: nothing is said of phases.
    pub fn phases(&self, of_list: &[PhaseKind]) -> Result<Option<Vec<PhaseKind>>, Refusal> {
        self.0.get("phase").map(|text| some_of("phase", text, of_list, PhaseKind::as_str)).transpose()
    }

    /// Records of ended leases.
    pub fn records(&self) -> Result<RecordQuery, Refusal> {
        Ok(RecordQuery {
            user: self.user()?,
            host: self.host()?,
            flavor: self.flavor()?,
            search: self.search()?,
            page: self.page(RecordSort::Ended)?,
        })
    }

    /// Hosts.
    pub fn hosts(&self) -> Result<HostQuery, Refusal> {
        let get = |name| self.0.get(name);
        let state = get("state").map(|text| one_of("state", text, &HostStateKind::ALL, HostStateKind::as_str));
        let schedulable = get("schedulable").map(|text| one_of("schedulable", text, &[true, false], yes_or_no));
        let purpose = get("purpose").map(|text| one_of("purpose", text, &HostPurpose::WORDS, |word| word));
        Ok(HostQuery {
            search: self.search()?,
            state: state.transpose()?,
            schedulable: schedulable.transpose()?,
            purpose: purpose.transpose()?,
            counts: Default::default(),
            page: self.page(HostSort::Name)?,
        })
    }

    /// Failures.
    pub fn failures(&self) -> Result<FailureQuery, Refusal> {
        Ok(FailureQuery {
            host: self.host()?,
            flavor: self.flavor()?,
            search: self.search()?,
            page: self.page(FailureSort::Failed)?,
        })
    }

    /// The host that all of them may be of.
    pub fn host(&self) -> Result<Option<HostId>, Refusal> {
        self.0.get("host").map(HostId::parse).transpose().map_err(|why| Refusal::field("host", why.to_string()))
    }

    fn user(&self) -> Result<Option<UserId>, Refusal> {
        self.0.get("user").map(UserId::parse).transpose().map_err(|why| Refusal::field("user", why.0))
    }

    /// Whether there is such a flavor is not asked.
    pub fn flavor(&self) -> Result<Option<FlavorId>, Refusal> {
        self.0.get("flavor").map(FlavorId::parse).transpose().map_err(|why| Refusal::field("flavor", why.0))
    }

    /// What was typed into the search box.
    pub fn search(&self) -> Result<Option<Search>, Refusal> {
        self.0.get("q").map_or(Ok(None), Search::parse).map_err(|why| Refusal::field("q", why.0))
    }

    fn page<S: Natural>(&self, usual: S) -> Result<ListPage<S>, Refusal> {
        let field = |name: &'static str| move |why: common::model::InvalidText| Refusal::field(name, why.0);
        let sort = self.0.get("sort").map_or(Ok(usual), S::parse).map_err(field("sort"))?;
        let direction = self.0.get("dir").map_or(Ok(sort.natural()), Direction::parse).map_err(field("dir"))?;
        let at = self.0.get("after").map(|text| Cursor::parse(text, sort, direction));
        Ok(ListPage {
            sort,
            direction,
            at: at.transpose().map_err(field("after"))?,
            limit: limit_of(self.0.get("limit"))?,
        })
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn one_of<T: Copy>(field: &str, text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, Refusal> {
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
        let all: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        Refusal::field(field, format!("must be one of {}", all.join(", ")))
    })
}

/// One or more of them, parted by commas; in the order of `all`, each once.
fn some_of<T: Copy>(field: &str, text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<Vec<T>, Refusal> {
    let asked: Vec<&str> = text.split(',').map(str::trim).collect();
    if asked.iter().any(|asked| !all.iter().any(|one| word(*one) == *asked)) {
        let all: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        return Err(Refusal::field(field, format!("must be one or more of {}, parted by commas", all.join(", "))));
    }
    Ok(all.iter().copied().filter(|one| asked.contains(&word(*one))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<T>(text: &str, of: impl Fn(&ListInput<'_>) -> Result<T, Refusal>) -> Result<T, String> {
        of(&ListInput(&Query::parse(text))).map_err(|refusal| refusal.sentence())
    }

    #[test]
    fn a_list_begins_as_people_read_it() {
        let query = parse("", |input| input.clusters(Some(ClusterList::InUse))).unwrap();
        assert_eq!((query.page.sort, query.page.direction), (ClusterSort::Changed, Direction::Descending));
        assert_eq!((query.phases, query.page.limit), (vec![PhaseKind::InUse], 50));
        let hosts = parse("sort=name&dir=desc&limit=9", |input| input.hosts()).unwrap();
        assert_eq!((hosts.page.direction, hosts.page.limit), (Direction::Descending, 9));
    }

    #[test]
    fn a_list_is_of_its_phases_or_of_some_of_them() {
        use PhaseKind as P;
        let phases = |list, text: &str| parse(text, |input| input.clusters(list)).map(|query| query.phases);
        let (active, existing) = (Some(ClusterList::Active), Some(ClusterList::Existing));
        assert_eq!(phases(active, "phase=removing,releasing,removing"), Ok(vec![P::Releasing, P::Removing]));
        assert_eq!(phases(existing, "phase=lost,failed"), Ok(vec![P::Failed, P::Lost]));
        assert_eq!((phases(existing, ""), phases(None, "")), (Ok(vec![]), Ok(vec![])), "none is left out");
        for text in ["phase=free,", "phase=free,lost", "phase=,"] {
            assert!(phases(active, text).unwrap_err().contains("one or more of creating, free"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_field_and_reason() {
        let clusters = |text: &str| parse(text, |input| input.clusters(Some(ClusterList::Active))).unwrap_err();
        for (text, field) in [
            ("host=h1", "host"),
            ("health=well", "health"),
            ("phase=failed", "phase"),
            ("sort=user", "sort"),
            ("dir=up", "dir"),
            ("limit=0", "limit"),
            ("after=0123456789abcdef01234567", "after"),
            ("q=%00", "q"),
        ] {
            assert!(clusters(text).to_lowercase().contains(field), "{text}: {}", clusters(text));
        }
        assert!(parse("schedulable=true", |input| input.hosts()).unwrap_err().contains("yes, no"));
    }
}
