//! What every registry does: these cases also pass against Debian's `docker-registry` 2.8, but for those that say so.

use super::client::{Client, digest, with_query};
use super::server::{any, name};
use serde_json::{Value, json};

const IMAGE: &str = oci::media::MANIFEST;

/// Whether the registry under test is somebody else's, which does not have what the case is about.
fn foreign() -> bool {
    std::env::var("REGISTRY_UNDER_TEST").is_ok()
}

async fn image(client: Client, name: &str, more: Value) -> Value {
    let (config, layer) = (client.blob(name, b"{}").await, client.blob(name, b"layer").await);
    let mut document = json!({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5 }],
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

#[tokio::test]
async fn blobs_go_in_and_out_whole_and_in_parts() {
    let (client, _server) = any().await;
    let name = name("blobs");
    client.get("/v2/").await.expect(200);
    let digest = client.blob(&name, b"0123456789").await;
    let path = format!("/v2/{name}/blobs/{digest}");
    let whole = client.get(&path).await.expect(200);
    assert_eq!(
        (&whole.body[..], whole.header("docker-content-digest")),
        (&b"0123456789"[..], digest.as_str())
    );
    let head = client.send("HEAD", &path, &[], "").await.expect(200);
    assert_eq!(head.header("content-length"), "10");
    let part = client.send("GET", &path, &[("range", "bytes=2-4")], "").await.expect(206);
    assert_eq!((&part.body[..], part.header("content-range")), (&b"234"[..], "bytes 2-4/10"));
    if !foreign() {
        // Debian's registry announces a body with this status and sends none.
        client.send("GET", &path, &[("range", "bytes=10-")], "").await.expect(416);
    }
    let known = [("if-none-match", format!("\"{digest}\""))];
    client.send("GET", &path, &[(known[0].0, &known[0].1)], "").await.expect(304);
    client
        .get(&format!("/v2/{name}/blobs/{}", super::client::digest(b"none")))
        .await
        .refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn pieces_come_in_order_or_not_at_all() {
    let (client, _server) = any().await;
    let name = name("pieces");
    let begun = client.send("POST", &format!("/v2/{name}/blobs/uploads/"), &[], "").await.expect(202);
    let send = |path: String, range: &'static str, body: &'static str| async move {
        client.send("PATCH", &path, &[("content-range", range)], body).await
    };
    let first = send(begun.location().to_owned(), "0-4", "hello").await.expect(202);
    assert_eq!(first.header("range"), "0-4");
    if !foreign() {
        // Debian's registry takes pieces in any order, and finds out at the end.
        send(first.location().to_owned(), "7-9", "abc").await.expect(416);
        send(first.location().to_owned(), "0-4", "hello").await.expect(416);
    }
    let status = client.get(first.location()).await.expect(204);
    assert_eq!(status.header("range"), "0-4");
    let second = send(status.location().to_owned(), "5-10", " world").await.expect(202);
    let digest = digest(b"hello world");
    let path = with_query(second.location(), &format!("digest={digest}"));
    client.send("PUT", &path, &[], "").await.expect(201);
    assert_eq!(client.get(&format!("/v2/{name}/blobs/{digest}")).await.expect(200).body, "hello world");
    client.get(second.location()).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn cancelled_uploads_and_wrong_digests_leave_nothing() {
    let (client, _server) = any().await;
    let name = name("cancelled");
    let uploads = format!("/v2/{name}/blobs/uploads/");
    let begun = client.send("POST", &uploads, &[], "").await.expect(202);
    client.send("DELETE", begun.location(), &[], "").await.expect(204);
    client.get(begun.location()).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    let begun = client.send("POST", &uploads, &[], "").await.expect(202);
    let path = with_query(begun.location(), &format!("digest={}", digest(b"hello")));
    client.send("PUT", &path, &[], "hullo").await.refused(400, "DIGEST_INVALID");
    client.get(&format!("/v2/{name}/blobs/{}", digest(b"hello"))).await.expect(404);
    let begun = client.send("POST", &uploads, &[], "").await.expect(202);
    client
        .send("PUT", &with_query(begun.location(), "digest=md5:00"), &[], "")
        .await
        .refused(400, "DIGEST_INVALID");
}

#[tokio::test]
async fn one_request_uploads_and_mounts() {
    let (client, _server) = any().await;
    let (name, other) = (name("single"), name("mounted"));
    if !foreign() {
        let digest = digest(b"at once");
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let made = client.send("POST", &path, &[], "at once").await.expect(201);
        assert_eq!(client.get(made.location()).await.expect(200).body, "at once");
    }
    let digest = client.blob(&name, b"mount me").await;
    let mount = format!("/v2/{other}/blobs/uploads/?mount={digest}&from={name}");
    client.send("POST", &mount, &[], "").await.expect(201);
    assert_eq!(client.get(&format!("/v2/{other}/blobs/{digest}")).await.expect(200).body, "mount me");
    let absent = super::client::digest(b"absent");
    let mount = format!("/v2/{other}/blobs/uploads/?mount={absent}&from={name}");
    client.send("POST", &mount, &[], "").await.expect(202);
}

#[tokio::test]
async fn manifests_are_kept_byte_for_byte() {
    let (client, _server) = any().await;
    let name = name("manifests");
    let document = image(client, &name, json!({})).await;
    let digest = digest(document.to_string().as_bytes());
    let made = client.manifest(&name, "one", &document).await.expect(201);
    assert_eq!(made.header("docker-content-digest"), digest);
    for target in ["one", &digest] {
        let found =
            client.send("GET", &format!("/v2/{name}/manifests/{target}"), &[("accept", IMAGE)], "").await;
        let found = found.expect(200);
        assert_eq!((found.header("content-type"), &found.body[..]), (IMAGE, document.to_string().as_bytes()));
    }
    client.manifest(&name, &super::client::digest(b"other"), &document).await.refused(400, "DIGEST_INVALID");
    client.get(&format!("/v2/{name}/manifests/none")).await.refused(404, "MANIFEST_UNKNOWN");
    let mut wrong = document.clone();
    wrong["layers"][0]["digest"] = json!(super::client::digest(b"none"));
    client.manifest(&name, "wrong", &wrong).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    client
        .send("PUT", &format!("/v2/{name}/manifests/x"), &[("content-type", IMAGE)], "{")
        .await
        .refused(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn tags_and_repositories_come_in_pages() {
    let (client, _server) = any().await;
    let name = name("pages");
    let document = image(client, &name, json!({})).await;
    for tag in ["c", "a", "b"] {
        client.manifest(&name, tag, &document).await.expect(201);
    }
    let mut list = client.get(&format!("/v2/{name}/tags/list")).await.expect(200).json();
    if foreign() {
        // Debian's registry lists them as it finds them.
        list["tags"].as_array_mut().unwrap().sort_by_key(|tag| tag.to_string());
    }
    assert_eq!(list, json!({ "name": name, "tags": ["a", "b", "c"] }));
    let page = client.get(&format!("/v2/{name}/tags/list?n=2")).await.expect(200);
    if !foreign() {
        assert_eq!(page.json()["tags"], json!(["a", "b"]));
        let link = page.header("link");
        let next = &link[link.find('<').unwrap() + 1..link.find('>').unwrap()];
        let last = client.get(next).await.expect(200);
        assert_eq!((&last.json()["tags"], last.header("link")), (&json!(["c"]), ""));
        assert_eq!(
            client.get(&format!("/v2/{name}/tags/list?n=0")).await.expect(200).json()["tags"],
            json!([])
        );
    }
    client.get("/v2/cases/none/tags/list").await.refused(404, "NAME_UNKNOWN");
    let catalog = client.get("/v2/_catalog?n=1000").await.expect(200);
    assert!(catalog.json()["repositories"].as_array().unwrap().contains(&json!(name)));
}

#[tokio::test]
async fn referrers_are_listed_and_filtered() {
    let (client, _server) = any().await;
    if foreign() {
        // Debian's registry is older than the end-point.
        return;
    }
    let name = name("referrers");
    let subject = image(client, &name, json!({})).await;
    let about = json!({ "mediaType": IMAGE, "digest": digest(subject.to_string().as_bytes()), "size": 1 });
    let more = json!({ "subject": about, "artifactType": "application/a", "annotations": { "k": "v" } });
    let made = client.manifest(&name, "about", &image(client, &name, more).await).await.expect(201);
    assert_eq!(made.header("oci-subject"), about["digest"].as_str().unwrap());
    let path = format!("/v2/{name}/referrers/{}", about["digest"].as_str().unwrap());
    let list = client.get(&path).await.expect(200).json();
    assert_eq!(
        (&list["manifests"][0]["artifactType"], &list["manifests"][0]["annotations"]["k"]),
        (&json!("application/a"), &json!("v"))
    );
    let other = client.get(&format!("{path}?artifactType=application/b")).await.expect(200);
    assert_eq!(
        (other.header("oci-filters-applied"), &other.json()["manifests"]),
        ("artifactType", &json!([]))
    );
    client.get(&format!("/v2/{name}/referrers/sha256:00")).await.refused(400, "DIGEST_INVALID");
}

#[tokio::test]
async fn tags_parameters_and_deletions() {
    let (client, _server) = any().await;
    if foreign() {
        // Debian's registry deletes only where it is configured to, and has no such parameters.
        return;
    }
    let name = name("deletions");
    let document = image(client, &name, json!({})).await;
    let digest = digest(document.to_string().as_bytes());
    let made = client.manifest(&name, &format!("{digest}?tag=one&tag=two"), &document).await.expect(201);
    assert_eq!(made.headers.get_all("oci-tag").iter().count(), 2);
    client.send("DELETE", &format!("/v2/{name}/manifests/one"), &[], "").await.expect(202);
    client.get(&format!("/v2/{name}/manifests/one")).await.expect(404);
    client.get(&format!("/v2/{name}/manifests/{digest}")).await.expect(200);
    client.send("DELETE", &format!("/v2/{name}/manifests/{digest}"), &[], "").await.expect(202);
    client.get(&format!("/v2/{name}/manifests/two")).await.expect(404);
    let blob = format!("/v2/{name}/blobs/{}", super::client::digest(b"layer"));
    client.send("DELETE", &blob, &[], "").await.expect(202);
    client.send("DELETE", &blob, &[], "").await.refused(404, "BLOB_UNKNOWN");
}
