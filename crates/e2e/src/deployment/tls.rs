//! HTTPS in front, by the overlay.

use tokio::process::Command;

use super::report::Report;
use super::site::{Site, output};

pub(super) async fn look(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let https = site.setting("HTTPS_PORT");
    site.script("make-certs.sh", &["--dir", "certs/edge", "localhost", "127.0.0.1"]).await?;
    for (name, value) in
        [("COMPOSE_FILE", "docker-compose.yml:docker-compose.tls.yml"), ("TLS_CERTIFICATES", "./certs/edge/localhost")]
    {
        site.set(name, value)?;
    }
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
    Ok(())
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
