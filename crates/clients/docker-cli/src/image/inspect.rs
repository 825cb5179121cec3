//! `docker image inspect`.

use super::{path, platform_json};
use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::DocumentFormat;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
    #[arg(
        long,
        help = "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not \
                multi-platform capable, the command will error out if the platform does not match.\n\
                'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"
    )]
    platform: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] IMAGE [IMAGE...]",
    "Display detailed information on one or more images"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = args.format.inspector()?;
    let platform = args.platform.as_deref().map(platform_json).transpose()?;
    let client = app.client()?;
    let fetch = async |name: &str| {
        let mut request = client.get(path(name, "/json"));
        if let Some(platform) = &platform {
            request = request.query("platform", platform);
        }
        Ok(request.bytes().await?)
    };
    inspector.run(names, fetch).await
}
