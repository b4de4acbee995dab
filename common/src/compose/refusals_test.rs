//! What a template may not say, and how it is told.

use super::testing::{file_with, plan, slot_2, variables};

fn check(lines: &str, path: &str, words: &str) {
    let refusal = plan(&file_with(lines), &variables(&[]), &slot_2()).expect_err(lines);
    assert_eq!(refusal.path, path, "{lines}: {refusal}");
    assert!(refusal.message.contains(words), "{lines}: {refusal}");
}

#[test]
fn a_plain_service_is_accepted() {
    plan(&file_with(""), &variables(&[]), &slot_2()).expect("good");
}

#[test]
fn fields_that_are_not_carried_out_are_named() {
    for line in [
        "privileged: true",
        "privileged: false",
        "devices: [/dev/kvm]",
        "pid: host",
        "ipc: host",
        "uts: host",
        "cgroup_parent: x",
        "userns_mode: host",
        "sysctls: {a: 1}",
        "group_add: [docker]",
        "runtime: nvidia",
        "network_mode: host",
        "external_links: [db]",
        "links: [b]",
        "volumes_from: [b]",
        "build: .",
        "configs: [c]",
        "secrets: [c]",
        "env_file: .env",
        "profiles: [p]",
        "container_name: x",
        "scale: 2",
        "expose: [80]",
        "dns: 8.8.8.8",
        "extra_hosts: [\"a:1.2.3.4\"]",
        "ulimits: {nofile: 10}",
        "privilegd: true",
        "post_start: []",
    ] {
        let field = line.split(':').next().expect("a field");
        check(line, &format!("services.a.{field}"), "is not carried out here");
    }
}

#[test]
fn fields_within_fields_are_named_too() {
    for (lines, path, words) in [
        ("deploy: {replicas: 2}", "services.a.deploy.replicas", "not known here"),
        ("deploy: {resources: {reservations: {}}}", "services.a.deploy.resources.reservations", "not known"),
        ("healthcheck: {test: x, start_interval: 1s}", "services.a.healthcheck.start_interval", "not known"),
        ("networks: {default: {ipv4_address: 1.2.3.4}}", "services.a.networks.default.ipv4_address", "not known"),
        ("logging: {driver: gelf}", "services.a.logging.driver", "must be one of json-file"),
        ("cap_add: [NET_ADMIN]", "services.a.cap_add[0]", "reach the host"),
        ("cap_add: [ALL]", "services.a.cap_add[0]", "reach the host"),
        ("security_opt: [seccomp:unconfined]", "services.a.security_opt[0]", "there are: no-new-privileges"),
        ("security_opt: [\"no-new-privileges:false\"]", "services.a.security_opt[0]", "not carried out"),
        ("labels: {com.docker.compose.project: x}", "services.a.labels", "clusters are found by"),
        ("%networks: {n: {external: true}}", "networks.n.external", "outlives"),
        ("%networks: {n: {name: x}}", "networks.n.name", "follow from the slot"),
        ("%networks: {n: {ipam: {}}}", "networks.n.ipam", "subnets follow"),
        ("%networks: {n: {driver: host}}", "networks.n.driver", "must be bridge"),
        ("%networks: {n: {driver_opts: {}}}", "networks.n.driver_opts", "reach the host"),
        ("%networks: {n: }", "networks.n", "no service is on it"),
        ("%networks: {N: }", "networks.N", "lower-case"),
        ("%volumes: {v: {external: true}}", "volumes.v.external", "outlives"),
        ("%volumes: {v: {driver: nfs}}", "volumes.v.driver", "must be local"),
        ("%volumes: {v: {driver_opts: {o: bind}}}", "volumes.v.driver_opts", "reach the host"),
        ("%secrets: {s: {file: f}}", "secrets", "one file"),
        ("%include: [f]", "include", "one file"),
        ("%name: x", "name", "follow from the slot"),
        ("%volumez: {}", "volumez", "not carried out"),
    ] {
        check(lines, path, words);
    }
}

#[test]
fn paths_of_the_host_are_refused_in_every_form() {
    let host = "mounts a path of the host";
    for volume in ["/var/run/docker.sock:/s", "./x:/x", "../x:/x", "~/x:/x", "/:/host:ro"] {
        check(&format!("volumes: [\"{volume}\"]"), "services.a.volumes[0]", host);
    }
    check("volumes: [{type: bind, source: /, target: /host}]", "services.a.volumes[0].type", host);
    check("volumes: [{type: npipe, source: x, target: /host}]", "services.a.volumes[0].type", host);
    check("volumes: [{type: volume, source: /etc, target: /x}]", "services.a.volumes[0].source", "no volume \"/etc\"");
    check("volumes: [{type: volume, target: /x, bind: {}}]", "services.a.volumes[0].bind", "not known here");
}

#[test]
fn values_that_make_no_sense_are_named() {
    for (lines, path, words) in [
        ("depends_on: [b]", "services.a.depends_on[0]", "no service \"b\""),
        ("depends_on: {b: {condition: service_started}}", "services.a.depends_on.b", "no service"),
        ("depends_on: {a: {condition: well}}", "services.a.depends_on.a.condition", "service_healthy"),
        ("depends_on: {a: {}}", "services.a.depends_on.a.condition", "missing"),
        ("depends_on: [a]", "services.a.depends_on", "circle: a -> a"),
        ("networks: [n]", "services.a.networks[0]", "no network \"n\""),
        ("volumes: [\"v:/v\"]", "services.a.volumes[0]", "no volume \"v\""),
        ("volumes: [v]", "services.a.volumes[0]", "absolute"),
        ("tmpfs: [/x, /x]\nvolumes: [/x]", "services.a", "two things at /x"),
        ("restart: sometimes", "services.a.restart", "unless-stopped"),
        ("restart: on-failure:x", "services.a.restart", "on-failure:3"),
        ("mem_limit: lots", "services.a.mem_limit", "size like 512m"),
        ("mem_limit: 0", "services.a.mem_limit", "more than nothing"),
        ("memswap_limit: 1g", "services.a.memswap_limit", "without mem_limit"),
        ("mem_limit: 2g\nmemswap_limit: 1g", "services.a.memswap_limit", "below mem_limit"),
        ("cpus: 0", "services.a.cpus", "0.01 to 1000"),
        ("cpus: many", "services.a.cpus", "must be a number"),
        ("cpus: 1\ncpu_quota: 50000", "services.a.cpu_quota", "another limit than services.a.cpus"),
        ("cpu_period: 1000", "services.a.cpu_period", "without cpu_quota"),
        ("pids_limit: 0", "services.a.pids_limit", "number of processes"),
        (
            "mem_limit: 1m\ndeploy: {resources: {limits: {memory: 2m}}}",
            "services.a.deploy.resources.limits.memory",
            "another",
        ),
        ("stop_grace_period: soon", "services.a.stop_grace_period", "time like 90s"),
        ("stop_grace_period: 99999999999999999999s", "services.a.stop_grace_period", "time like 90s"),
        ("stop_signal: stop it", "services.a.stop_signal", "SIGTERM"),
        ("init: perhaps", "services.a.init", "true or false"),
        ("command: it's", "services.a.command", "quote"),
        ("command: {a: b}", "services.a.command", ""),
        ("environment: [A]", "services.a.environment", "A has no value"),
        ("environment: {A: }", "services.a.environment", "A has no value"),
        ("environment: [A=1, A=2]", "services.a.environment[1]", "twice"),
        ("environment: [3]", "services.a.environment[0]", "KEY=value"),
        ("environment: {A: [x]}", "services.a.environment.A", "must be a text"),
        ("environment: {A: $B}", "services.a.environment.A", "variable B, which is not set"),
        ("healthcheck: {test: [curl, x]}", "services.a.healthcheck.test", "CMD-SHELL"),
        ("healthcheck: {test: x, retries: 0}", "services.a.healthcheck.retries", "1 to 1000"),
        ("hostname: a_b c", "services.a.hostname", ""),
        ("working_dir: here", "services.a.working_dir", "absolute"),
        ("extends: b", "services.a.extends", "no service \"b\""),
        ("%  B: {image: i}", "services.B", "a service's name must be lower case"),
        ("%  b: {image: \"I\"}", "services.b.image", "is no image"),
        ("%  b: {}", "services.b.image", "is missing"),
        ("%  b: [x]", "services.b", "must be a map"),
        (
            "%  b: {image: i, depends_on: [c]}\n%  c: {image: i, depends_on: [b]}",
            "services.b.depends_on",
            "b -> c -> b",
        ),
        (
            "%  abcdefghijklmnopqrstuvwxyz0123456: {image: i}",
            "services.abcdefghijklmnopqrstuvwxyz0123456",
            "at most 32",
        ),
    ] {
        check(lines, path, words);
    }
}

#[test]
fn ports_are_within_the_block_and_published_once() {
    for (port, path, words) in [
        ("\"9000:80\"", "services.b.ports[0]", "host port 9000 is outside of the slot's block 7250-7349"),
        ("\"7340-7350:1-11\"", "services.b.ports[0]", "host port 7350 is outside"),
        ("{target: 80, published: 80}", "services.b.ports[0]", "host port 80 is outside"),
        ("\"80\"", "services.b.ports[0]", "names no host port"),
        ("80", "services.b.ports[0]", "names no host port"),
        ("{target: 80}", "services.b.ports[0]", "names no host port"),
        ("\"127.0.0.1:7260:80\"", "services.b.ports[0]", "bind address"),
        ("{target: 80, published: 7260, host_ip: 0.0.0.0}", "services.b.ports[0].host_ip", "bind address"),
        ("{target: 80, published: 7260, mode: ingress}", "services.b.ports[0].mode", "must be host"),
        ("\"7260:80/sctp\"", "services.b.ports[0]", "tcp or udp"),
        ("\"7260-7261:80\"", "services.b.ports[0]", "different length"),
        ("\"7261-7260:81-80\"", "services.b.ports[0]", "ranges of ports"),
        ("\":80\"", "services.b.ports[0]", "names no host port"),
        ("\"[::1]:7260:80\"", "services.b.ports[0]", "bind address"),
        ("{target: 80, published: 7260, protocol: sctp}", "services.b.ports[0].protocol", "tcp or udp"),
        ("\"0-65535:0-65535\"", "services.b.ports[0]", "host port 0 is outside"),
        ("\"7260:0\"", "services.b.ports[0]", "1 to 65535"),
        ("\"a:b\"", "services.b.ports[0]", "ranges of ports"),
        ("\"7250:81\"", "services.b.ports", "host port 7250 is published by a already"),
    ] {
        check(&format!("%  b: {{image: i, ports: [{port}]}}"), path, words);
    }
}

/// A whole template with these endpoints, probes, ...
fn check_offer(block: &str, path: &str, words: &str) {
    let text = format!(
        "x-poolmanager: {{title: T}}\n---\nservices: {{a: {{image: i, ports: [\"{{{{ port_base }}}}:80\", \"{{{{ port_base + 1 }}}}:81\"]}}}}\n\
         x-poolmanager: {{{block}}}\n"
    );
    let refusal = plan(&text, &variables(&[]), &slot_2()).expect_err(block);
    assert_eq!(refusal.path, format!("x-poolmanager.{path}"), "{block}: {refusal}");
    assert!(refusal.message.contains(words), "{block}: {refusal}");
}

#[test]
fn what_a_template_offers_must_be_there() {
    let e = "endpoints: {e: {service: a, port: 80, scheme: http}, g: {service: a, port: 81, scheme: grpc}}";
    check_offer("", "endpoints", "is missing");
    check_offer("endpoints: {}", "endpoints", "at least one");
    check_offer("endpoints: {E: {}}", "endpoints.E", "lower-case");
    check_offer("endpoints: {e: {service: b, port: 80, scheme: http}}", "endpoints.e.service", "no service \"b\"");
    check_offer("endpoints: {e: {service: a, port: 82, scheme: http}}", "endpoints.e.port", "not publish its port 82");
    check_offer("endpoints: {e: {service: a, port: 80, scheme: ftp}}", "endpoints.e.scheme", "http, grpc, tcp");
    check_offer("endpoints: {e: {service: a, port: 80}}", "endpoints.e.scheme", "missing");
    for (probe, path, words) in [
        ("{path: /}", "probes[0].endpoint", "missing"),
        ("{endpoint: x, path: /}", "probes[0].endpoint", "no endpoint \"x\""),
        ("{endpoint: g, path: /}", "probes[0].endpoint", "not an http"),
        ("{endpoint: e, path: x}", "probes[0].path", "begin with /"),
        ("{endpoint: e, path: /, timeout: 0s}", "probes[0].timeout", "longer than nothing"),
        ("{endpoint: e, path: /, expect: [{pointer: a, length: 1}]}", "probes[0].expect[0].pointer", "JSON pointer"),
        ("{endpoint: e, path: /, expect: [{pointer: /a}]}", "probes[0].expect[0]", "one of length"),
        ("{endpoint: e, path: /, expect: [{pointer: /a, length: 1, equals: 1}]}", "probes[0].expect[0]", "one of"),
        ("{endpoint: e, path: /, expect: [{pointer: /a, length: -1}]}", "probes[0].expect[0].length", "negative"),
        ("{endpoint: e, path: /, expect: [{pointer: /a, atleast: 1}]}", "probes[0].expect[0].atleast", "not known"),
    ] {
        check_offer(&format!("{e}, probes: [{probe}]"), path, words);
    }
    check_offer(&format!("{e}, offspring_prefixes: [dev-]"), "offspring_prefixes[0]", "cluster_id");
    check_offer(&format!("{e}, create_within: now"), "create_within", "time like");
    check_offer(&format!("{e}, endpoint: 1"), "endpoint", "not known");
}

#[test]
fn a_file_without_services_or_block_says_so() {
    for (body, path, words) in [
        ("version: \"3\"\n", "services", "is missing"),
        ("services: {}\n", "services", "at least one service"),
        ("services: [a]\n", "services", "must be a map"),
        ("services: {a: {image: i}}\n", "x-poolmanager", "is missing"),
        ("[a]\n", "", "must be a map"),
        ("\n", "services", "is missing"),
        ("a: 1\na: 2\n", "", "is not YAML once rendered"),
        ("services: {a: {image: i\n", "", "is not YAML once rendered"),
    ] {
        let refusal = plan(&format!("x-poolmanager: {{title: T}}\n---\n{body}"), &variables(&[]), &slot_2());
        let refusal = refusal.expect_err(body);
        assert_eq!(refusal.path, path, "{body}: {refusal}");
        assert!(refusal.message.contains(words), "{body}: {refusal}");
    }
}
