//! The toy chaincode: accounts with whole numbers, as Fabric's example02. What every peer computes alike from the same chain.

use std::collections::BTreeMap;

use crate::block::{Hash, Kind, Transaction};

/// Every chaincode's accounts.
#[derive(Debug)]
pub struct World {
    chaincodes: BTreeMap<Box<str>, Accounts>,
    hash: Hash,
}

type Accounts = BTreeMap<Box<str>, i64>;

impl Default for World {
    fn default() -> Self {
        Self { chaincodes: BTreeMap::new(), hash: Hash::none() }
    }
}

impl World {
    /// Differs whenever two peers carried out different things.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Carries out one ordered transaction, whole or not at all.
    ///
    /// # Errors
    /// Why it cannot be carried out; it then leaves no trace.
    pub fn execute(&mut self, tx: &Transaction) -> Result<(), String> {
        match tx.kind {
            Kind::Deploy => self.deploy(tx)?,
            Kind::Invoke => self.invoke(tx)?,
        }
        self.hash = Hash::of([self.hash.as_bytes(), tx.id.as_bytes()]);
        Ok(())
    }

    fn deploy(&mut self, tx: &Transaction) -> Result<(), String> {
        if self.chaincodes.contains_key(&tx.chaincode) {
            return Err(format!("chaincode {} exists", tx.chaincode));
        }
        let [_init, a, a_holds, b, b_holds] = tx.args.as_slice() else {
            return Err("Incorrect number of arguments. Expecting 4".to_owned());
        };
        let accounts = Accounts::from([(a.clone(), amount(a_holds)?), (b.clone(), amount(b_holds)?)]);
        self.chaincodes.insert(tx.chaincode.clone(), accounts);
        Ok(())
    }

    fn invoke(&mut self, tx: &Transaction) -> Result<(), String> {
        let accounts = self.chaincodes.get_mut(&tx.chaincode).ok_or_else(|| not_deployed(&tx.chaincode))?;
        match tx.args.iter().map(AsRef::as_ref).collect::<Vec<_>>().as_slice() {
            ["delete", account] => accounts.remove(*account).map(|_| ()).ok_or_else(|| nil(account)),
            // What example02 does whatever the function's name is.
            [_function, from, to, moved] => {
                let moved = amount(moved)?;
                let left = accounts.get(*from).ok_or_else(|| nil(from))?.checked_sub(moved);
                // Read after the subtraction would be lost if both were one account.
                if from == to {
                    return Ok(());
                }
                let right = accounts.get(*to).ok_or_else(|| nil(to))?.checked_add(moved);
                let (Some(left), Some(right)) = (left, right) else { return Err("the amount is too large".to_owned()) };
                accounts.insert((*from).into(), left);
                accounts.insert((*to).into(), right);
                Ok(())
            }
            _ => Err("Incorrect number of arguments. Expecting 3".to_owned()),
        }
    }

    /// Reads one account.
    ///
    /// # Errors
    /// The reason, as the chaincode or the peer would word it.
    pub fn query(&self, chaincode: &str, args: &[Box<str>]) -> Result<String, String> {
        let accounts = self.chaincodes.get(chaincode).ok_or_else(|| not_deployed(chaincode))?;
        match args.iter().map(AsRef::as_ref).collect::<Vec<_>>().as_slice() {
            ["query", account] => accounts.get(*account).map(i64::to_string).ok_or_else(|| nil(account)),
            ["query", ..] => Err("Incorrect number of arguments. Expecting name of the person to query".to_owned()),
            _ => Err("Invalid query function name. Expecting \"query\"".to_owned()),
        }
    }
}

fn amount(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "Expecting integer value for asset holding".to_owned())
}

fn nil(account: &str) -> String {
    format!("{{\"Error\":\"Nil amount for {account}\"}}")
}

fn not_deployed(chaincode: &str) -> String {
    format!(
        "Failed to launch chaincode spec(Could not get deployment transaction for {chaincode} - ledger: resource not found)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixNanos;

    fn tx(kind: Kind, args: &[&str]) -> Transaction {
        let args = args.iter().map(|arg| (*arg).into()).collect();
        Transaction { id: "t".into(), kind, chaincode: "cc".into(), args, at: UnixNanos(0) }
    }

    fn holds(world: &World, account: &str) -> Result<String, String> {
        world.query("cc", &["query".into(), account.into()])
    }

    #[test]
    fn money_moves_and_none_is_made() {
        let mut world = World::default();
        world.execute(&tx(Kind::Deploy, &["init", "a", "100", "b", "200"])).unwrap();
        world.execute(&tx(Kind::Invoke, &["invoke", "a", "b", "10"])).unwrap();
        world.execute(&tx(Kind::Invoke, &["invoke", "a", "a", "10"])).unwrap();
        assert_eq!((holds(&world, "a").unwrap().as_str(), holds(&world, "b").unwrap().as_str()), ("90", "210"));
    }

    #[test]
    fn what_cannot_be_carried_out_leaves_no_trace() {
        let mut world = World::default();
        world.execute(&tx(Kind::Deploy, &["init", "a", "100", "b", "200"])).unwrap();
        let before = world.hash();
        for args in [
            &["invoke", "a", "nobody", "1"][..],
            &["invoke", "a", "b", "x"],
            &["invoke", "a", "b", "-9223372036854775808"],
            &["invoke"],
            &["delete", "nobody"],
        ] {
            world.execute(&tx(Kind::Invoke, args)).unwrap_err();
        }
        world.execute(&tx(Kind::Deploy, &["init", "a", "1", "b", "2"])).unwrap_err();
        assert_eq!((world.hash(), holds(&world, "a").unwrap().as_str()), (before, "100"));
    }

    #[test]
    fn what_is_not_there_cannot_be_read() {
        let mut world = World::default();
        assert!(holds(&world, "a").unwrap_err().contains("Could not get deployment transaction"));
        world.execute(&tx(Kind::Deploy, &["init", "a", "100", "b", "200"])).unwrap();
        assert!(holds(&world, "c").unwrap_err().contains("Nil amount for c"));
        world.execute(&tx(Kind::Invoke, &["delete", "a"])).unwrap();
        assert!(holds(&world, "a").is_err());
    }
}
