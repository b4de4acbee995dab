//! HTTPS in front, by the overlay.

use std::time::Duration;

use anyhow::ensure;
use tokio::process::Command;

use super::report::Report;
use super::site::{Site, output};
use crate::wait::until;

pub(super) async fn look(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let https = site.setting("HTTPS_PORT");
    site.script("make-certs.sh", &["--dir", "certs/edge", "localhost", "127.0.0.1"]).await?;
    let files = match site.setting("COMPOSE_FILE") {
        files if files.is_empty() => "docker-compose.yml".to_owned(),
        files => files,
    };
    site.set("COMPOSE_FILE", &format!("{files}:docker-compose.tls.yml"))?;
    site.set("TLS_CERTIFICATES", "./certs/edge/localhost")?;
    // Not 443: then nginx must be told what clients see.
    let port = https.rsplit(':').next().unwrap_or_default();
    let ports = format!("map $scheme $user_port {{ default \":{port}\"; }}\n");
    std::fs::write(site.folder().join("nginx/tls-ports.conf"), ports)?;
    site.script("restart.sh", &["--no-build"]).await?;

    let users = format!("https://{https}");
    let answer =
        curl(site, &["-w", "%{http_code} %{redirect_url}", "-o", "/dev/null"], &format!("{}/v2/x?y=1", site.users()))
            .await?;
    report.holds("HTTP is led to HTTPS", answer == format!("308 {users}/v2/x?y=1"), &answer);
    let answer = curl(site, &["-D", "-"], &format!("{users}/readyz")).await?;
    report.holds(
        "users are served by TLS, with the certificate",
        answer.contains(" 200"),
        answer.lines().next().unwrap_or_default(),
    );
    report.holds(
        "browsers are told to stay with HTTPS",
        answer.to_lowercase().contains("strict-transport-security: max-age=31536000"),
        "",
    );
    let operators = site.operators().replace("http://", "https://");
    let answer = curl(site, &["-D", "-", "-o", "/dev/null"], &format!("{operators}/login")).await?;
    let secure = answer.to_lowercase().lines().any(|line| line.starts_with("set-cookie:") && line.contains("; secure"));
    report.holds(
        "operators are too, and their cookies stay with HTTPS",
        secure,
        answer.lines().next().unwrap_or_default(),
    );
    let answer =
        curl(site, &["-w", "%{http_code} %{redirect_url}", "-o", "/dev/null"], &format!("{}/login", site.operators()))
            .await?;
    report.holds(
        "who comes to their port by HTTP is led to HTTPS",
        answer == format!("308 {operators}/login"),
        &answer,
    );
    let old = curl(site, &["--tlsv1.1", "--tls-max", "1.1", "-o", "/dev/null"], &format!("{users}/readyz")).await;
    report.holds("TLS 1.1 is refused", old.is_err(), "");
    challenge(site, report).await?;
    renewed(site, report).await
}

/// What an ACME client puts into its webroot is there by plain HTTP, which a certificate authority asks by.
async fn challenge(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let folder = site.folder().join("nginx/acme/.well-known/acme-challenge");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("a-token"), "a-token.a-thumbprint")?;
    let answer = curl(site, &[], &format!("{}/.well-known/acme-challenge/a-token", site.users())).await?;
    report.holds("a certificate authority finds its challenge", answer == "a-token.a-thumbprint", &answer);
    Ok(())
}

/// New files, as certbot leaves them: links into an archive beside, and a key that its owner alone may read.
async fn renewed(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let before = serial(site).await?;
    let certs = site.folder().join("certs");
    let (archive, live) = (certs.join("archive/pool"), certs.join("live/pool"));
    std::fs::create_dir_all(&archive)?;
    std::fs::create_dir_all(&live)?;
    site.script("make-certs.sh", &["--dir", "certs/edge", "--renew", "localhost", "127.0.0.1"]).await?;
    for (theirs, ours) in [("fullchain", "server.pem"), ("privkey", "server-key.pem")] {
        std::fs::rename(certs.join("edge/localhost").join(ours), archive.join(format!("{theirs}1.pem")))?;
        std::os::unix::fs::symlink(format!("../../archive/pool/{theirs}1.pem"), live.join(format!("{theirs}.pem")))?;
    }
    site.set("TLS_CERTIFICATES", &live.display().to_string())?;
    site.script("redeploy.sh", &["nginx"]).await?;
    let now = until("nginx to show another certificate", Duration::from_secs(10), || async {
        let now = serial(site).await?;
        ensure!(now != before, "{now}");
        Ok(now)
    })
    .await;
    let seen = now.map_or_else(|error| format!("{error:#}"), |now| now.trim().to_owned());
    report.holds("scripts/redeploy.sh nginx takes a renewed certificate, by links", !seen.contains(' '), seen);

    let key = archive.join("privkey1.pem");
    std::fs::remove_file(&key)?;
    std::fs::copy(certs.join("edge/client-key.pem"), &key)?;
    let refused = site.script("redeploy.sh", &["nginx"]).await;
    let why = refused.err().map_or_else(|| "it was taken".to_owned(), |error| format!("{error:#}"));
    let last = why.lines().last().unwrap_or_default().to_owned();
    report.holds("one whose key is another's is refused", why.contains("do not belong together"), last);
    let answer = curl(site, &["-o", "/dev/null", "-w", "%{http_code}"], &users_ready(site)).await?;
    report.holds("and users are served as before", answer == "200", &answer);
    Ok(())
}

fn users_ready(site: &Site) -> String {
    format!("https://{}/readyz", site.setting("HTTPS_PORT"))
}

/// The serial number of the certificate that users are shown.
async fn serial(site: &Site) -> anyhow::Result<String> {
    let show =
        format!("openssl s_client -connect {} </dev/null | openssl x509 -noout -serial", site.setting("HTTPS_PORT"));
    let mut command = Command::new("bash");
    command.args(["-o", "pipefail", "-c", &show]);
    output(command).await
}

/// What curl prints for this address, which it must be able to trust by the CA that signed the certificate.
async fn curl(site: &Site, options: &[&str], url: &str) -> anyhow::Result<String> {
    let mut command = Command::new("curl");
    command
        .args(["-sS", "--noproxy", "*", "--max-time", "20", "--cacert"])
        .arg(site.folder().join("certs/edge/ca.pem"));
    command.args(options).arg(url);
    output(command).await
}
