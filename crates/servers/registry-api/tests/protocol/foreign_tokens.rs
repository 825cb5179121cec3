//! Tokens of another service: by its keys, by its certificate, by certificates that come along; and those that are none.

use super::client::{Answer, Client};
use super::server::with;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use registry_api::{Access, TokenAccess, TrustedKeys};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn signing(key: &KeyPair) -> EncodingKey {
    EncodingKey::from_ec_der(&key.serialize_der())
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, key()).unwrap()
}

fn access(keys: TrustedKeys) -> Access {
    Access::Token(TokenAccess {
        realm: Some("https://auth.example/token".to_owned()),
        service: "service".to_owned(),
        issuer: "issuer".to_owned(),
        keys,
        own: None,
    })
}

/// What a token of the service says; with other fields where a case wants them.
fn claims(changes: &Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": "issuer", "aud": "service", "sub": "ada", "exp": now + 300, "nbf": now - 10,
        "access": [{"type": "repository", "name": "a", "actions": ["pull", "push"]}],
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

async fn push(client: Client, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    client.send("POST", "/v2/a/blobs/uploads/", &[("authorization", &bearer)], "").await
}

#[tokio::test]
async fn keys_of_a_set_are_believed_and_no_others() {
    let (trusted, other) = (key(), key());
    let mut public = Jwk::from_encoding_key(&signing(&trusted), Algorithm::ES256).unwrap();
    public.common.key_id = Some("first".to_owned());
    let server = with(|dir| {
        let path = dir.join("jwks.json");
        std::fs::write(&path, serde_json::to_vec(&JwkSet { keys: vec![public] }).unwrap()).unwrap();
        access(TrustedKeys::jwks(&path).unwrap())
    })
    .await;
    let client = server.client;
    let asked = client.get("/v2/").await.refused(401, "UNAUTHORIZED");
    assert_eq!(
        asked.header("www-authenticate"),
        "Bearer realm=\"https://auth.example/token\",service=\"service\""
    );
    let signed = |key: &KeyPair, id: Option<&str>, changes: &Value| {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims(changes), &signing(key)).unwrap()
    };
    push(client, &signed(&trusted, Some("first"), &json!({}))).await.expect(202);
    push(client, &signed(&trusted, None, &json!({}))).await.expect(202);
    push(client, &signed(&trusted, Some("second"), &json!({}))).await.refused(401, "UNAUTHORIZED");
    push(client, &signed(&other, Some("first"), &json!({}))).await.refused(401, "UNAUTHORIZED");
    for (what, changes) in [
        ("expired", json!({"exp": 1})),
        ("not good yet", json!({"nbf": 32_503_680_000_u64})),
        ("for ever", json!({"exp": null})),
        ("another registry's", json!({"aud": "elsewhere"})),
        ("another service's", json!({"iss": "somebody"})),
        (
            "for another repository",
            json!({"access": [{"type": "repository", "name": "b", "actions": ["*"]}]}),
        ),
        ("for nothing", json!({"access": null})),
    ] {
        let refused = push(client, &signed(&trusted, None, &changes)).await;
        assert_eq!(refused.status.as_u16(), 401, "{what}");
    }
    // Signed by nobody, and with what everybody may know.
    let none = |text: &str| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text);
    let unsigned =
        format!("{}.{}.", none(r#"{"alg":"none","typ":"JWT"}"#), none(&claims(&json!({})).to_string()));
    push(client, &unsigned).await.refused(401, "UNAUTHORIZED");
    let public = EncodingKey::from_secret(trusted.public_key_raw()).unwrap();
    let confused = encode(&Header::new(Algorithm::HS256), &claims(&json!({})), &public).unwrap();
    push(client, &confused).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn certificates_are_believed_and_those_that_they_have_signed() {
    let trusted = authority("trusted");
    let pem = trusted.pem();
    let server = with(|dir| {
        let path = dir.join("authorities.pem");
        std::fs::write(&path, pem).unwrap();
        access(TrustedKeys::certificates(&path).unwrap())
    })
    .await;
    let client = server.client;
    let itself =
        encode(&Header::new(Algorithm::ES256), &claims(&json!({})), &signing(trusted.key())).unwrap();
    push(client, &itself).await.expect(202);
    let brought = |issuer: &CertifiedIssuer<'static, KeyPair>| {
        let leaf = key();
        let mut params = CertificateParams::new(vec!["auth.example".to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&leaf, issuer).unwrap();
        let chain = vec![BASE64_STANDARD.encode(certificate.der())];
        let header = Header { x5c: Some(chain), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims(&json!({})), &signing(&leaf)).unwrap()
    };
    push(client, &brought(&trusted)).await.expect(202);
    push(client, &brought(&authority("stranger"))).await.refused(401, "UNAUTHORIZED");
    // The right certificate, and somebody else's signature.
    let chain = vec![BASE64_STANDARD.encode(trusted.der())];
    let header = Header { x5c: Some(chain), ..Header::new(Algorithm::ES256) };
    let stolen = encode(&header, &claims(&json!({})), &signing(&key())).unwrap();
    push(client, &stolen).await.refused(401, "UNAUTHORIZED");
}
