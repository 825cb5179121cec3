//! A storage for one test, and the documents that tests push.

use super::moto::Moto;
use bytes::Bytes;
use oci::Digest;
use repositories::{
    Bucket, Directory, Pushed, Put, Repositories, RepositoryName, Result, Storage, Tag, Target,
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

type Reopen = Box<dyn Fn() -> Arc<dyn Storage>>;

pub(crate) struct Kit {
    pub(crate) repositories: Repositories,
    pub(crate) storage: Arc<dyn Storage>,
    reopen: Reopen,
    _dir: tempfile::TempDir,
    _moto: Option<Moto>,
}

impl Kit {
    pub(crate) fn directory() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let reopen: Reopen = Box::new(move || Arc::new(Directory::open(&path).unwrap()));
        Self::over(reopen, dir, None)
    }

    /// In a bucket of a store that is made for the test; none where there is no program for that.
    pub(crate) fn bucket() -> Option<Self> {
        let moto = Moto::start()?;
        let dir = tempfile::tempdir().unwrap();
        let (path, address) = (dir.path().to_owned(), moto.bucket("registry"));
        let reopen: Reopen = Box::new(move || {
            let objects = objects::Bucket::open_as(&address, "id", "secret").unwrap();
            Arc::new(Bucket::open(objects, &path).unwrap())
        });
        Some(Self::over(reopen, dir, Some(moto)))
    }

    fn over(reopen: Reopen, dir: tempfile::TempDir, moto: Option<Moto>) -> Self {
        let storage = reopen();
        let repositories = Repositories::new(Arc::clone(&storage));
        Self { repositories, storage, reopen, _dir: dir, _moto: moto }
    }

    /// The same storage as another process would find it.
    pub(crate) fn restarted(&self) -> Repositories {
        Repositories::new((self.reopen)())
    }

    pub(crate) async fn blob(&self, repository: &str, content: &[u8]) -> Digest {
        let digest = digest(content);
        let mut session = self.repositories.begin_upload(&name(repository), "sha256").await.unwrap();
        session.append(vec![Bytes::copy_from_slice(content)]).await.unwrap();
        session.commit(&digest).await.unwrap();
        digest
    }

    pub(crate) async fn put(&self, repository: &str, document: &str, tags: &[&str]) -> Result<Digest> {
        self.pushed(repository, document, tags).await.map(|_| digest(document.as_bytes()))
    }

    pub(crate) async fn pushed(&self, repository: &str, document: &str, tags: &[&str]) -> Result<Pushed> {
        self.put_into(&self.repositories, repository, document, tags).await
    }

    /// By way of another process' repositories.
    pub(crate) async fn put_into(
        &self,
        repositories: &Repositories,
        repository: &str,
        document: &str,
        tags: &[&str],
    ) -> Result<Pushed> {
        let put = Put {
            content: Bytes::copy_from_slice(document.as_bytes()),
            digest: digest(document.as_bytes()),
            media_type: None,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        };
        repositories.put_manifest(&name(repository), put).await
    }

    pub(crate) async fn has(&self, repository: &str, target: &str) -> bool {
        let target: Target = target.parse().unwrap();
        self.repositories.manifest(&name(repository), &target).await.is_ok()
    }

    pub(crate) async fn tags(&self, repository: &str) -> Vec<String> {
        let page = self.repositories.tags(&name(repository), None, None).await.unwrap();
        page.items.iter().map(Tag::to_string).collect()
    }
}

pub(crate) fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

pub(crate) fn digest(content: &[u8]) -> Digest {
    Digest::sha256(Sha256::digest(content).into())
}

/// A manifest of one layer, which may be about another manifest.
pub(crate) fn image(config: &Digest, layer: &Digest, subject: Option<&Digest>) -> String {
    let subject = subject.map_or(String::new(), |subject| {
        let media_type = oci::media::MANIFEST;
        format!(r#","subject":{{"mediaType":"{media_type}","digest":"{subject}","size":1}},"annotations":{{"a":"b"}}"#)
    });
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/x","digest":"{config}","size":1}},
        "layers":[{{"mediaType":"application/y","digest":"{layer}","size":1}}]{subject}}}"#,
        oci::media::MANIFEST
    )
}

pub(crate) fn index(manifests: &[&Digest]) -> String {
    let list: Vec<_> = manifests
        .iter()
        .map(|digest| format!(r#"{{"mediaType":"{}","digest":"{digest}","size":1}}"#, oci::media::MANIFEST))
        .collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}}"#, oci::media::INDEX, list.join(","))
}
