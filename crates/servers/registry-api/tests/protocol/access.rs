//! Users, readers, strangers; by password and by token.

use super::client::{Answer, Client};
use super::server::with;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use registry_api::{Access, AccessList, Htpasswd, Issuer, TokenAccess, htpasswd_line};
use std::path::Path;

fn users(dir: &Path) -> (Htpasswd, AccessList) {
    let path = dir.join("htpasswd");
    let lines = [htpasswd_line("ada", "secret").unwrap(), htpasswd_line("bob", "reads").unwrap()];
    std::fs::write(&path, lines.concat()).unwrap();
    let list = AccessList { anonymous_pull: true, read_only: ["bob".to_owned()].into() };
    (Htpasswd::open(&path).unwrap(), list)
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

async fn push(client: Client, authorization: Option<&str>) -> Answer {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    client.send("POST", "/v2/a/blobs/uploads/", &headers, "").await
}

#[tokio::test]
async fn passwords_decide() {
    let server = with(|dir| {
        let (users, list) = users(dir);
        Access::Basic(users, list)
    })
    .await;
    let client = server.client;
    assert!(
        client.get("/v2/").await.refused(401, "UNAUTHORIZED").header("www-authenticate").starts_with("Basic")
    );
    client.get("/v2/a/tags/list").await.refused(404, "NAME_UNKNOWN");
    push(client, None).await.refused(401, "UNAUTHORIZED");
    push(client, Some(&basic("ada", "wrong"))).await.refused(401, "UNAUTHORIZED");
    push(client, Some(&basic("bob", "reads"))).await.refused(403, "DENIED");
    push(client, Some(&basic("ada", "secret"))).await.expect(202);
    client.get("/v2/_catalog").await.refused(401, "UNAUTHORIZED");
}

fn tokens(dir: &Path) -> Access {
    let (users, list) = users(dir);
    let issuer = Issuer::open("issuer".to_owned(), &dir.join("key"), users, list).unwrap();
    Access::Token(TokenAccess::own(None, "service".to_owned(), issuer).unwrap())
}

async fn token(client: Client, authorization: Option<&str>, query: &str) -> Answer {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    client.send("GET", &format!("/auth/token?service=service&{query}"), &headers, "").await
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.json()["token"].as_str().unwrap())
}

#[tokio::test]
async fn tokens_decide() {
    let server = with(tokens).await;
    let client = server.client;
    let asked = push(client, None).await.refused(401, "UNAUTHORIZED");
    let challenge = asked.header("www-authenticate");
    let expected = format!(
        "Bearer realm=\"http://{}/auth/token\",service=\"service\",scope=\"repository:a:pull,push\"",
        client.0
    );
    assert_eq!(challenge, expected);
    let scope = "scope=repository:a:pull,push";
    let ada = basic("ada", "secret");
    let given = token(client, Some(&ada), scope).await.expect(200);
    push(client, Some(&bearer(&given))).await.expect(202);
    let elsewhere =
        client.send("POST", "/v2/b/blobs/uploads/", &[("authorization", &bearer(&given))], "").await;
    assert!(elsewhere.refused(401, "UNAUTHORIZED").header("www-authenticate").contains("insufficient_scope"));
    let reader = token(client, Some(&basic("bob", "reads")), scope).await.expect(200);
    push(client, Some(&bearer(&reader))).await.expect(401);
    let stranger = token(client, None, scope).await.expect(200);
    push(client, Some(&bearer(&stranger))).await.expect(401);
    token(client, Some(&basic("ada", "wrong")), scope).await.expect(401);
    let mut forged = bearer(&given);
    forged.truncate(forged.len() - 8);
    forged.push_str("AAAAAAAA");
    push(client, Some(&forged)).await.expect(401);
}

#[tokio::test]
async fn refresh_tokens_are_good_until_the_password_changes() {
    let server = with(tokens).await;
    let client = server.client;
    let given = token(client, Some(&basic("ada", "secret")), "offline_token=true").await.expect(200);
    let refresh = given.json()["refresh_token"].as_str().unwrap().to_owned();
    let again = || {
        let form = format!(
            "grant_type=refresh_token&service=service&scope=repository:a:pull,push&refresh_token={refresh}"
        );
        async move { client.send("POST", "/auth/token", &[], form).await }
    };
    let next = again().await.expect(200);
    push(client, Some(&bearer(&next))).await.expect(202);
    push(client, Some(&format!("Bearer {refresh}"))).await.expect(401);
    std::fs::write(server.dir.path().join("htpasswd"), htpasswd_line("ada", "changed").unwrap()).unwrap();
    again().await.expect(401);
    let form = "grant_type=password&service=service&username=ada&password=changed&scope=repository:a:pull";
    client.send("POST", "/auth/token", &[], form).await.expect(200);
}
