//! The few calls that are measured, one connection each, as clients make them.

use anyhow::{Context, Result, ensure};
use engine_client::{Client, Endpoint, Options, Request};
use serde::Deserialize;
use serde_json::{Value, json};

/// A client for the engine at `address`.
pub(crate) fn client(address: &str) -> Result<Client> {
    Ok(Client::new(Options {
        endpoint: Endpoint::parse(address, None)?,
        version: None,
        user_agent: concat!("container-runtime-benchmark/", env!("CARGO_PKG_VERSION")).into(),
        headers: Vec::new(),
        revive: None,
        start_hint: String::new(),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
}

pub(crate) async fn create(client: &Client, image: &str, command: &[&str], network: &str) -> Result<String> {
    let body = json!({ "Image": image, "Cmd": command, "HostConfig": { "NetworkMode": network } });
    create_of(client, &body).await
}

/// Creates a container of which everything is said.
pub(crate) async fn create_of(client: &Client, body: &Value) -> Result<String> {
    created(client.post("/containers/create").json_body(body)?).await
}

/// Sends a request that is to create a container.
pub(crate) async fn created(request: Request<'_>) -> Result<String> {
    let created: Created = request.json().await.context("create")?;
    Ok(created.id)
}

pub(crate) async fn start(client: &Client, id: &str) -> Result<()> {
    client.post(format!("/containers/{id}/start")).done().await.context("start")?;
    Ok(())
}

pub(crate) async fn wait(client: &Client, id: &str) -> Result<()> {
    let answer: Value = client.post(format!("/containers/{id}/wait")).json().await.context("wait")?;
    ensure!(answer["StatusCode"] == 0, "the container failed: {answer}");
    Ok(())
}

pub(crate) async fn stop(client: &Client, id: &str) -> Result<()> {
    client.post(format!("/containers/{id}/stop")).query("t", "0").done().await.context("stop")?;
    Ok(())
}

pub(crate) async fn remove(client: &Client, id: &str) -> Result<()> {
    client
        .delete(format!("/containers/{id}"))
        .query("force", "1")
        .query("v", "1")
        .done()
        .await
        .context("remove")?;
    Ok(())
}

/// Runs `true` in a container and waits for the end of its streams.
pub(crate) async fn exec(client: &Client, id: &str) -> Result<()> {
    let body = json!({ "Cmd": ["true"], "AttachStdout": true, "AttachStderr": true });
    let created: Created =
        client.post(format!("/containers/{id}/exec")).json_body(&body)?.json().await.context("exec")?;
    let start = client
        .post(format!("/exec/{}/start", created.id))
        .json_body(&json!({ "Detach": false, "Tty": false }))?;
    let mut streams = start.hijack().await.context("start the exec")?;
    let mut buffer = [0; 4096];
    while streams.reader.read(&mut buffer).await? > 0 {}
    Ok(())
}

pub(crate) async fn list(client: &Client) -> Result<Vec<Value>> {
    client.get("/containers/json").query("all", "1").json().await.context("list")
}

/// Process id of a container's init.
pub(crate) async fn pid(client: &Client, id: &str) -> Result<u32> {
    let document: Value = client.get(format!("/containers/{id}/json")).json().await.context("inspect")?;
    let pid = document["State"]["Pid"].as_u64().context("inspect told no pid")?;
    Ok(u32::try_from(pid)?)
}
