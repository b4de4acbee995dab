//! The shapes of REST, as measured on real Fabric 0.6.

use crate::support::Town;
use serde_json::{Value, json};

fn body(town: &Town, path: &str) -> (u16, String) {
    let answer = town.ask(0, "GET", path, "").unwrap();
    (answer.status, answer.body)
}

#[test]
fn a_new_chain_has_one_block_and_no_previous_hash() {
    let town = Town::new(1, "noops");
    let (status, text) = body(&town, "/chain");
    assert!(
        status == 200 && text.starts_with("{\"height\":1,\"currentBlockHash\":\"") && text.ends_with("==\"}\n"),
        "{text}"
    );
    let (_, block) = body(&town, "/chain/blocks/0");
    assert_eq!(
        block,
        "{\"nonHashData\":{\"localLedgerCommitTimestamp\":{\"seconds\":1795338361,\"nanos\":396442956}}}\n"
    );
    let (_, peers) = body(&town, "/network/peers");
    assert_eq!(peers, "{\"peers\":[{\"ID\":{\"name\":\"vp0\"},\"address\":\"10.0.0.2:7051\",\"type\":1}]}\n");
}

#[test]
fn what_is_not_there_is_a_404_in_fabrics_words() {
    let town = Town::new(1, "noops");
    for path in ["/chain/blocks/99", "/transactions/none", "/", "", "/chain/", "/nothing", "/chaincode", "//chain"] {
        assert_eq!(body(&town, path), (404, "{\"Error\":\"openchain: resource not found\"}\n".to_owned()), "{path}");
    }
    for number in ["x", "-1", "18446744073709551616"] {
        assert_eq!(body(&town, &format!("/chain/blocks/{number}")).0, 400, "{number}");
    }
    assert_eq!(body(&town, "/chain/blocks/18446744073709551615").0, 404);
    assert_eq!(body(&town, "/chain?x=1").0, 200);
}

#[test]
fn a_block_and_its_transaction_can_be_read() {
    let mut town = Town::new(4, "pbft");
    let spec = json!({"jsonrpc": "2.0", "method": "deploy", "id": 1, "params": {"type": 1,
        "chaincodeID": {"path": "github.com/example02"}, "ctorMsg": {"function": "init", "args": ["a", "100", "b", "200"]}}});
    let answer = town.ask(0, "POST", "/chaincode", &spec.to_string()).unwrap();
    let name: Value = serde_json::from_str(&answer.body).unwrap();
    let name = name["result"]["message"].as_str().unwrap();
    assert_eq!(name.len(), 128, "as Fabric names chaincodes");
    town.pass(2);
    let moved = town.rpc(1, "invoke", name, &["invoke", "a", "b", "1"])["result"]["message"].clone();
    town.pass(2);
    let block = town.get(2, "/chain/blocks/2");
    let keys: Vec<_> = block.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["transactions", "stateHash", "previousBlockHash", "consensusMetadata", "nonHashData"]);
    assert_eq!((&block["transactions"][0]["txid"], &block["transactions"][0]["type"]), (&moved, &json!(2)));
    assert_eq!(block["consensusMetadata"], "CAI=", "sequence number 2");
    let transaction = town.get(3, &format!("/transactions/{}", moved.as_str().unwrap()));
    assert_eq!(transaction, block["transactions"][0]);
    assert_eq!(town.get(3, &format!("/transactions/{name}"))["type"], 1);
    let chain = town.get(0, "/chain");
    assert_eq!(
        block["previousBlockHash"], chain["previousBlockHash"],
        "the block before the last is the last one's previous"
    );
}

#[test]
fn an_unknown_chaincode_makes_an_empty_block() {
    let mut town = Town::new(4, "pbft");
    let answer = town.rpc(0, "invoke", "nowhere", &["f"]);
    town.pass(2);
    assert_eq!(town.height(0), 2);
    let block = town.get(0, "/chain/blocks/1");
    assert!(block.get("transactions").is_none() && block["nonHashData"].get("chaincodeEvents").is_none(), "{block}");
    let id = answer["result"]["message"].as_str().unwrap();
    assert_eq!((id.len(), body(&town, &format!("/transactions/{id}")).0), (36, 404));
}

#[test]
fn every_wrong_rpc_is_an_rpc_error() {
    let town = Town::new(1, "noops");
    let ask = |text: &str| {
        let answer = town.ask(0, "POST", "/chaincode", text).unwrap();
        assert!(answer.body.ends_with("}\n"), "{answer:?}");
        let value: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(value["jsonrpc"], "2.0");
        (answer.status, value["error"]["code"].as_i64().unwrap(), value["id"].clone())
    };
    assert_eq!(ask("{"), (400, -32700, Value::Null));
    assert_eq!(ask("\u{0}"), (400, -32700, Value::Null));
    for text in ["", "[]", "7", "null", "{\"id\":null}", "\"x\""] {
        assert_eq!(ask(text), (400, -32600, Value::Null), "{text}");
    }
    assert_eq!(ask(r#"{"jsonrpc":"1.0","id":1}"#), (400, -32600, json!(1)));
    assert_eq!(ask(r#"{"jsonrpc":"2.0","id":"q"}"#), (400, -32600, json!("q")));
    assert_eq!(ask(r#"{"jsonrpc":"2.0","method":"x","id":1}"#), (400, -32601, json!(1)));
    assert_eq!(ask(r#"{"jsonrpc":"2.0","method":"query","id":1}"#), (400, -32602, json!(1)));
    for params in [
        r#"{}"#,
        r#"{"chaincodeID":7}"#,
        r#"{"chaincodeID":{}}"#,
        r#"{"chaincodeID":{"name":"x"}}"#,
        r#"{"chaincodeID":{"name":"x"},"ctorMsg":{"args":[]}}"#,
        r#"{"chaincodeID":{"name":"x"},"ctorMsg":{"args":[1]}}"#,
        r#"{"chaincodeID":{"name":"x"},"ctorMsg":{"args":"f"}}"#,
        r#"{"chaincodeID":{"name":""},"ctorMsg":{"args":["f"]}}"#,
    ] {
        for method in ["deploy", "invoke", "query"] {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
            assert_eq!(ask(&text), (200, -32602, json!(1)), "{text}");
        }
    }
    let unknown = town.rpc(0, "query", "nowhere", &["query", "a"]);
    assert_eq!((&unknown["error"]["code"], &unknown["error"]["message"]), (&json!(-32003), &json!("Query failure")));
}

#[test]
fn a_good_answer_is_in_fabrics_order() {
    let town = Town::new(1, "noops");
    let text = r#"{"jsonrpc":"2.0","method":"deploy","params":{"chaincodeID":{"name":"mycc"},"ctorMsg":{"args":["init","a","1","b","2"]}},"id":3}"#;
    let answer = town.ask(0, "POST", "/chaincode", text).unwrap().body;
    assert_eq!(answer, "{\"jsonrpc\":\"2.0\",\"result\":{\"status\":\"OK\",\"message\":\"mycc\"},\"id\":3}\n");
    let silent = town.ask(0, "POST", "/chaincode", &text.replace(",\"id\":3", "")).unwrap();
    assert_eq!((silent.status, silent.body.as_str()), (200, ""), "a notification is not answered");
}
