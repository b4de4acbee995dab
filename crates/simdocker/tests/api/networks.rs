//! Networks: subnets, names that are there twice, members.

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use serde_json::{Value, json};

use crate::support::{act, bring_up, delete, docker, filters, get, host, message, post};

fn with_subnet(name: &str, subnet: &str) -> Value {
    json!({"Name": name, "IPAM": {"Config": [{"Subnet": subnet}]}})
}

#[tokio::test]
async fn a_subnet_that_overlaps_is_refused() {
    let host = host().await;
    let docker = docker(&host);
    let request = |name: &str, subnet: &str| NetworkCreateRequest {
        name: name.to_owned(),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig { subnet: Some(subnet.to_owned()), ..IpamConfig::default() }]),
            ..Ipam::default()
        }),
        ..NetworkCreateRequest::default()
    };
    docker.create_network(request("a", "10.212.0.0/24")).await.unwrap();
    let error = docker.create_network(request("b", "10.212.0.128/25")).await.unwrap_err();
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, message } => {
            assert_eq!((status_code, message.as_str()), (403, "Pool overlaps with other one on this address space"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_name_twice_succeeds_and_is_ambiguous_from_then_on() {
    let host = host().await;
    let first = post(&host, "/networks/create", with_subnet("twin", "10.1.1.0/24")).await;
    let id = first.1["Id"].as_str().unwrap().to_owned();
    assert_eq!(first.1["Warning"], "");
    let second = post(&host, "/networks/create", with_subnet("twin", "10.1.2.0/24")).await;
    assert_eq!(second.0, 201);
    assert_eq!(second.1["Warning"], format!("Network with name twin (id : {id}) already exists"));
    let both = get(&host, "/networks/twin").await;
    assert_eq!((both.0, message(&both)), (400, "2 matches found based on name: network twin is ambiguous"));
    let both = delete(&host, "/networks/twin").await;
    assert_eq!((both.0, message(&both)), (400, "network twin is ambiguous (2 matches found based on name)"));
    let checked = post(&host, "/networks/create", json!({"Name": "twin", "CheckDuplicate": true})).await;
    assert_eq!((checked.0, message(&checked)), (409, "network with name twin already exists"));
    assert_eq!(delete(&host, &format!("/networks/{id}")).await, (204, Value::Null));
    assert_eq!(get(&host, "/networks/twin").await.0, 200);
}

#[tokio::test]
async fn a_network_in_use_cannot_be_removed() {
    let host = host().await;
    bring_up(&host, "busy", "10.1.1.0/24", 1, 7050).await;
    let (_, seen) = get(&host, "/networks/busy").await;
    let id = seen["Id"].as_str().unwrap();
    let (member, shown) = seen["Containers"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(host.container("busy_vp0").unwrap().id, *member);
    assert_eq!((&shown["Name"], &shown["IPv4Address"]), (&json!("busy_vp0"), &json!("10.1.1.2/24")));
    let refused = delete(&host, "/networks/busy").await;
    let text = format!("error while removing network: network busy id {id} has active endpoints");
    assert_eq!((refused.0, message(&refused)), (403, text.as_str()));
    assert_eq!(act(&host, "/containers/busy_vp0/stop").await.0, 204);
    assert_eq!(delete(&host, "/networks/busy").await.0, 204);
    let gone = act(&host, "/containers/busy_vp0/start").await;
    assert_eq!((gone.0, message(&gone)), (404, "network busy not found"));
}

#[tokio::test]
async fn a_running_container_joins_and_leaves() {
    let host = host().await;
    bring_up(&host, "home", "10.1.1.0/24", 1, 7050).await;
    assert_eq!(post(&host, "/networks/create", with_subnet("away", "10.1.2.0/24")).await.0, 201);
    let join = json!({"Container": "home_vp0", "EndpointConfig": {"Aliases": ["zz"]}});
    assert_eq!(post(&host, "/networks/away/connect", join.clone()).await.0, 200);
    assert_eq!(host.container("home_vp0").unwrap().addresses["away"].to_string(), "10.1.2.2");
    let twice = post(&host, "/networks/away/connect", join).await;
    assert_eq!((twice.0, message(&twice)), (403, "endpoint with name home_vp0 already exists in network away"));
    let leave = json!({"Container": "home_vp0", "Force": true});
    assert_eq!(post(&host, "/networks/away/disconnect", leave.clone()).await.0, 200);
    assert_eq!(host.container("home_vp0").unwrap().addresses.len(), 1);
    assert_eq!(post(&host, "/networks/away/disconnect", leave).await.0, 500);
    let stranger = post(&host, "/networks/away/disconnect", json!({"Container": "nosuch"})).await;
    assert_eq!((stranger.0, message(&stranger)), (404, "No such container: nosuch"));
}

#[tokio::test]
async fn a_container_can_be_connected_by_id_to_a_network_whose_name_is_there_twice() {
    let host = host().await;
    bring_up(&host, "home", "10.1.1.0/24", 1, 7050).await;
    let first = post(&host, "/networks/create", with_subnet("twin", "10.1.2.0/24")).await.1;
    assert_eq!(post(&host, "/networks/create", with_subnet("twin", "10.1.3.0/24")).await.0, 201);
    let join = json!({"Container": "home_vp0"});
    let by_name = post(&host, "/networks/twin/connect", join.clone()).await;
    assert_eq!((by_name.0, message(&by_name)), (400, "network twin is ambiguous (2 matches found on name)"));
    let path = format!("/networks/{}/connect", first["Id"].as_str().unwrap());
    assert_eq!(post(&host, &path, join).await.0, 200);
    assert_eq!(host.container("home_vp0").unwrap().addresses["twin"].to_string(), "10.1.2.2");
}

#[tokio::test]
async fn the_predefined_networks_are_there_and_stay() {
    let host = host().await;
    let (_, list) = get(&host, "/networks").await;
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|n| n["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["none", "host", "bridge"]);
    let refused = delete(&host, "/networks/bridge").await;
    assert_eq!((refused.0, message(&refused)), (403, "bridge is a pre-defined network and cannot be removed"));
    let missing = delete(&host, "/networks/nosuch").await;
    assert_eq!((missing.0, message(&missing)), (404, "network nosuch not found"));
}

#[tokio::test]
async fn networks_are_found_by_label_and_name() {
    let host = host().await;
    bring_up(&host, "n1", "10.1.1.0/24", 0, 7050).await;
    bring_up(&host, "n2", "10.1.2.0/24", 0, 7050).await;
    for wanted in [json!({"label": ["net=n2"]}), json!({"name": ["n2"]})] {
        let (_, list) = get(&host, &format!("/networks?filters={}", filters(wanted))).await;
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!(list[0]["Name"], "n2");
        assert_eq!(list[0]["IPAM"]["Config"], json!([{"Subnet": "10.1.2.0/24"}]));
    }
}
