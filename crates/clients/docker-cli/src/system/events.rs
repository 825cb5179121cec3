//! `docker events`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, INSPECT_FORMAT_HELP, time};
use crate::template::{Template, Value};
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<Filter>,
    /// Go on as long as events come, which is what happens unless --until ends it
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    #[arg(long, help = INSPECT_FORMAT_HELP)]
    format: Option<String>,
    /// Show all events created since timestamp
    #[arg(long)]
    since: Option<String>,
    /// Stream events until this timestamp
    #[arg(long)]
    until: Option<String>,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Get real time events from the server");

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let template = match args.format.as_deref() {
        None | Some("") => None,
        Some(text) => {
            let text = if text == "json" { "{{json .}}" } else { text };
            let bad = |error| Failure::new(format!("Error parsing format: {error}")).with_status(64);
            Some(Template::parse(text).map_err(bad)?)
        }
    };
    let mut request = app.client()?.get("/events");
    for (name, value) in [("since", &args.since), ("until", &args.until)] {
        if let Some(value) = value {
            request = request.query(name, time::to_unix(value).map_err(Failure::new)?);
        }
    }
    let response = filter::apply(request, &Filters::new(&args.filter)).send().await?;
    let mut events = response.json_lines::<Value>();
    while let Some(mut event) = events.next().await? {
        event.mark_maps(&["Attributes"]);
        output::line(match &template {
            None => pretty(&event),
            Some(template) => {
                let mut text = String::new();
                template.render(&event, &mut text)?;
                text
            }
        })?;
    }
    Ok(())
}

/// `TIME TYPE ACTION ID (name=value, …)`.
fn pretty(event: &Value) -> String {
    let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    let at = match (event.get("timeNano"), event.get("time")) {
        (Some(Value::Int(nano)), _) if *nano != 0 => time::rfc3339_nano_local(*nano) + " ",
        (_, Some(Value::Int(seconds))) if *seconds != 0 => {
            time::rfc3339_nano_local(seconds.saturating_mul(1_000_000_000)) + " "
        }
        _ => String::new(),
    };
    let actor = event.get("Actor");
    let mut attributes: Vec<String> = match actor.and_then(|actor| actor.get("Attributes")) {
        Some(Value::Object(_, fields)) => {
            fields.iter().map(|(key, value)| format!("{key}={value}")).collect()
        }
        _ => Vec::new(),
    };
    attributes.sort();
    let attributes =
        if attributes.is_empty() { String::new() } else { format!(" ({})", attributes.join(", ")) };
    let id = text(actor.and_then(|actor| actor.get("ID")));
    format!("{at}{} {} {id}{attributes}", text(event.get("Type")), text(event.get("Action")))
}
