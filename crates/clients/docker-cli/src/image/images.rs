//! `docker images`, `docker image ls`.

use super::tree;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::format::{Defaults, Format, given_or_configured};
use crate::output::names::{familiar, short_id, split_reference};
use crate::output::{self, FORMAT_HELP, time, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Show all images (default hides intermediate images)
    #[arg(short, long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<Filter>,
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    /// List multi-platform images as a tree (EXPERIMENTAL)
    #[arg(long)]
    tree: bool,
}

verb!(Args, run, Arity::AtMost(1), "[OPTIONS] [REPOSITORY[:TAG]]", "List images");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    created: i64,
    pub(crate) size: i64,
    #[serde(default)]
    pub(crate) shared_size: i64,
    #[serde(default)]
    pub(crate) containers: i64,
    #[serde(default)]
    pub(crate) manifests: Option<Vec<tree::Manifest>>,
}

const TABLE: &str = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
const TABLE_DIGESTS: &str = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t\
    {{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";
const RAW: &str = "repository: {{ .Repository }}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\n\
    virtual_size: {{.Size}}\n";
const RAW_DIGESTS: &str = "repository: {{ .Repository }}\ntag: {{.Tag}}\ndigest: {{.Digest}}\nimage_id: {{.ID}}\n\
    created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

pub(crate) const TITLES: [(&str, &str); 11] = [
    ("Containers", "CONTAINERS"),
    ("CreatedAt", "CREATED AT"),
    ("CreatedSince", "CREATED"),
    ("Digest", "DIGEST"),
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("SharedSize", "SHARED SIZE"),
    ("Size", "SIZE"),
    ("Tag", "TAG"),
    ("UniqueSize", "UNIQUE SIZE"),
    ("VirtualSize", "SIZE"),
];

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    if args.tree && (args.quiet || args.digests || args.format.is_some() || args.all) {
        return Err(Failure::new("--tree cannot be used with --all, --digests, --format or --quiet"));
    }
    let mut filters = Filters::new(&args.filter);
    if let Some(pattern) = words.first() {
        filters.add("reference", pattern);
    }
    let request = app.client()?.get("/images/json").flag("all", args.all).flag("manifests", args.tree);
    let images: Vec<Summary> = filter::apply(request, &filters).json().await?;
    if args.tree {
        return tree::show(&images, args.no_trunc);
    }
    let configured = &app.config().images_format;
    let source = given_or_configured(args.format.as_deref(), args.quiet, configured);
    let defaults = Defaults {
        table: if args.digests { TABLE_DIGESTS } else { TABLE },
        quiet: "{{.ID}}",
        raw: if args.digests { RAW_DIGESTS } else { RAW },
        raw_quiet: "image_id: {{.ID}}",
        quiet_wins: false,
    };
    let source = if args.digests && source.starts_with("table ") && !source.contains("{{.Digest}}") {
        format!("{source}\t{{{{.Digest}}}}")
    } else {
        source.to_owned()
    };
    let format = Format::choose(&source, args.quiet, &defaults)?;
    let digests = args.digests || format.mentions("Digest");
    let rows: Vec<Value> = images
        .iter()
        .flat_map(|image| {
            let names = references(image, digests, args.digests);
            names.into_iter().map(|name| row(image, &name, !args.no_trunc))
        })
        .collect();
    output::stdout(&format.rows(&TITLES, &rows)?)?;
    if let (Some(word), true) = (words.first(), images.is_empty()) {
        hint(app, word);
    }
    Ok(())
}

/// Somebody who types `docker images ls` means `docker image ls`.
fn hint(app: &App, word: &str) {
    let verbs = [
        "build", "history", "import", "inspect", "list", "load", "ls", "prune", "pull", "push", "rm", "save",
        "tag",
    ];
    if app.path.ends_with(" images") && verbs.contains(&word) {
        output::stderr(&format!(
            "\nNo images found matching {word:?}: did you mean \"{} image {word}\"?\n",
            app.program
        ));
    }
}

/// What a row calls its image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    repository: String,
    tag: String,
    digest: String,
}

impl Name {
    fn new(repository: &str, tag: &str, digest: &str) -> Self {
        Self { repository: repository.to_owned(), tag: tag.to_owned(), digest: digest.to_owned() }
    }
}

/// The rows of an image: one for each tag, or for each tag and digest, and one where it has neither.
pub(crate) fn references(image: &Summary, need_digests: bool, each_digest: bool) -> Vec<Name> {
    const NONE: &str = "<none>";
    let tags: Vec<(&str, &str)> = image
        .repo_tags
        .iter()
        .flatten()
        .filter_map(|text| match split_reference(text) {
            (name, Some(tag), _) if name != NONE => Some((familiar(name), tag)),
            _ => None,
        })
        .collect();
    let digests: Vec<(&str, &str)> = image
        .repo_digests
        .iter()
        .flatten()
        .filter_map(|text| match split_reference(text) {
            (name, _, Some(digest)) if name != NONE => Some((familiar(name), digest)),
            _ => None,
        })
        .collect();
    let mut rows = Vec::new();
    for (repository, tag) in &tags {
        let own: Vec<&str> = digests.iter().filter(|(name, _)| name == repository).map(|(_, d)| *d).collect();
        if own.is_empty() || !need_digests {
            rows.push(Name::new(repository, tag, NONE));
        } else {
            rows.extend(own.iter().map(|digest| Name::new(repository, tag, digest)));
        }
    }
    let mut seen: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
    for (repository, digest) in &digests {
        if tags.iter().any(|(name, _)| name == repository) {
            continue;
        }
        if each_digest {
            rows.push(Name::new(repository, NONE, digest));
        } else if !seen.contains(repository) {
            seen.push(repository);
            rows.push(Name::new(repository, NONE, ""));
        }
    }
    if rows.is_empty() {
        rows.push(Name::new(NONE, NONE, NONE));
    }
    rows
}

pub(crate) fn row(image: &Summary, name: &Name, short: bool) -> Value {
    let size = |bytes: i64| units::human_size(bytes as f64, 3);
    let known = |bytes: i64, text: String| if bytes == -1 { "N/A".to_owned() } else { text };
    let unique = if image.shared_size == -1 { -1 } else { image.size - image.shared_size };
    Value::structure(
        "*formatter.imageContext",
        [
            ("Containers", known(image.containers, image.containers.to_string()).into()),
            ("CreatedAt", time::local(image.created).into()),
            ("CreatedSince", time::ago(image.created).into()),
            ("Digest", name.digest.as_str().into()),
            ("ID", if short { short_id(&image.id) } else { &image.id }.into()),
            ("Repository", name.repository.as_str().into()),
            ("SharedSize", known(image.shared_size, units::human_size(image.shared_size as f64, 4)).into()),
            ("Size", size(image.size).into()),
            ("Tag", name.tag.as_str().into()),
            ("UniqueSize", known(unique, units::human_size(unique as f64, 4)).into()),
            ("VirtualSize", units::human_size(image.size as f64, 4).into()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(tags: &[&str], digests: &[&str]) -> Summary {
        let own = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
        Summary {
            id: "sha256:0123456789abcdef".to_owned(),
            repo_tags: own(tags),
            repo_digests: own(digests),
            created: 0,
            size: 1,
            shared_size: -1,
            containers: -1,
            manifests: None,
        }
    }

    #[test]
    fn an_image_has_a_row_for_each_name() {
        let tagged = image(&["a:1", "a:2", "b:1"], &["a@sha256:0"]);
        assert_eq!(references(&tagged, false, false).len(), 3);
        assert_eq!(references(&tagged, true, true)[0], Name::new("a", "1", "sha256:0"));
        assert_eq!(references(&image(&[], &["a@sha256:0"]), false, false), [Name::new("a", "<none>", "")]);
        let dangling = image(&["<none>:<none>"], &["<none>@<none>"]);
        assert_eq!(references(&dangling, false, false), [Name::new("<none>", "<none>", "<none>")]);
    }
}
