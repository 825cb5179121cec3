//! The suite, and the storages that it runs against.

mod collecting;
mod kit;
mod manifests;
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
    };
}
pub(crate) use cases;
