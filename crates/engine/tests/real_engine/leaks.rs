//! Rules of never leaking: what others did to a cluster's containers leaves nothing behind.

use std::collections::BTreeSet;

use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListVolumesOptions, RemoveContainerOptionsBuilder, TagImageOptionsBuilder,
};
use common::compose::{MountSpec, Project};
use futures_util::TryStreamExt;

use crate::bench::Bench;
use crate::spec::{FOREVER, project, service};

async fn all_volumes(bench: &Bench) -> BTreeSet<String> {
    let list = bench.docker.list_volumes(None::<ListVolumesOptions>).await.unwrap();
    list.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect()
}

/// The bench's image, declaring a volume.
async fn with_volume(bench: &Bench, path: &str) -> String {
    let name = format!("{}/declares:1", bench.prefix);
    let tar = std::process::Command::new("tar").args(["-c", "-C", "/", "bin/busybox"]).output().unwrap();
    let (repo, tag) = name.split_once(':').unwrap();
    let changes = format!("VOLUME {path}");
    let options = CreateImageOptionsBuilder::default().from_src("-").repo(repo).tag(tag).changes(vec![changes]).build();
    let body = bollard::body_full(tar.stdout.into());
    bench.docker.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>().await.unwrap();
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_of_a_container_that_somebody_removed_are_found_and_go_with_the_cluster() {
    let bench = Bench::new().await;
    let mut vp0 = service(&bench, 0, "vp0", FOREVER);
    vp0.image = with_volume(&bench, "/declared").await;
    vp0.mounts = vec![
        MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: false },
        MountSpec::Anonymous { target: "/scratch".to_owned() },
    ];
    let project = Project { services: vec![vp0], ..project(&bench, 0) };
    let ids = bench.up(&project, 0).await.unwrap();
    let volumes = bench.survey().await.ours[0].volumes.clone();
    assert_eq!(volumes.len(), 3, "the named one, the anonymous one and the image's own: {volumes:?}");
    assert!(volumes.iter().all(|name| !name.is_empty()) && volumes[0] == project.volumes[0].name);

    // As somebody would at the command line, who does not think of `-v`.
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    for id in ids.values() {
        bench.docker.remove_container(id, Some(force.clone())).await.unwrap();
    }
    assert_eq!(bench.survey().await.ours[0].volumes, volumes);
    let removed = bench.down(0).await.unwrap();
    assert_eq!(removed.volumes.iter().collect::<BTreeSet<_>>(), volumes.iter().collect());
    let left = all_volumes(&bench).await;
    assert!(volumes.iter().all(|volume| !left.contains(volume)), "{left:?}");
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_volumes_and_images_stay_whatever_they_are_called() {
    let bench = Bench::new().await;
    let project = Project { services: vec![service(&bench, 0, "vp0", FOREVER)], ..project(&bench, 0) };
    bench.up(&project, 0).await.unwrap();
    let cluster = bench.owner(0).cluster;
    // Names like ours, without a label or with another cluster's id.
    let volume = format!("{}-data", cluster);
    let request = bollard::models::VolumeCreateRequest { name: Some(volume.clone()), ..Default::default() };
    bench.docker.create_volume(request).await.unwrap();
    let image = format!("{}/not-{cluster}-vp0", bench.prefix);
    let tag = TagImageOptionsBuilder::default().repo(&image).tag("1").build();
    bench.docker.tag_image(&bench.image, Some(tag)).await.unwrap();
    bench.down(0).await.unwrap();
    bench.docker.inspect_volume(&volume).await.expect("the stranger's volume is still there");
    bench.docker.inspect_image(&format!("{image}:1")).await.expect("the stranger's image is still there");
    bench.assert_clean().await;
}
