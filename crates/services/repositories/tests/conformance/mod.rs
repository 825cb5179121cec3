//! The suite, and the storages that it runs against.

mod collecting;
mod kit;
mod manifests;
#[path = "../../../../../tests/src/moto.rs"]
#[expect(unreachable_pub, clippy::print_stderr, reason = "it is the kit's of the end-to-end tests")]
mod moto;
mod uploads;

/// Makes a test of each storage out of each case.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        mod directory {
            $(#[tokio::test]
            async fn $case() {
                let kit = crate::conformance::kit::Kit::directory();
                super::$case(&kit).await;
            })+
        }

        mod bucket {
            $(#[tokio::test]
            async fn $case() {
                let Some(kit) = crate::conformance::kit::Kit::bucket() else { return };
                super::$case(&kit).await;
            })+
        }
    };
}
pub(crate) use cases;
