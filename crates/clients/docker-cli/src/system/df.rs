//! `docker system df`.

use crate::app::App;
use crate::container::ps;
use crate::failure::Outcome;
use crate::image::images;
use crate::output::format::Format;
use crate::output::{self, FORMAT_HELP, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use crate::volume::ls as volumes;
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Show detailed information on space usage
    #[arg(short, long)]
    verbose: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Show docker disk usage");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    #[serde(default)]
    layers_size: i64,
    images: Option<Vec<images::Summary>>,
    containers: Option<Vec<ps::Summary>>,
    volumes: Option<Vec<volumes::Volume>>,
    build_cache: Option<Vec<Cache>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cache {
    #[serde(default)]
    size: i64,
    #[serde(default)]
    in_use: bool,
    #[serde(default)]
    shared: bool,
}

const TABLE: &str = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
const RAW: &str = "type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\n\
    reclaimable: {{.Reclaimable}}\n";
const TITLES: [(&str, &str); 5] = [
    ("Active", "ACTIVE"),
    ("Reclaimable", "RECLAIMABLE"),
    ("Size", "SIZE"),
    ("TotalCount", "TOTAL"),
    ("Type", "TYPE"),
];

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let usage: Usage = app.client()?.get("/system/df").json().await?;
    let source = args.format.as_deref().unwrap_or_default();
    if args.verbose && matches!(source, "" | "table") {
        return output::stdout(&verbose(&usage)?);
    }
    let format = Format::parse(match source {
        "" | "table" => TABLE,
        "raw" => RAW,
        other => other,
    })?;
    output::stdout(&format.rows(&TITLES, rows(&usage))?)
}

/// One kind of object: how many, how many in use, their bytes, and those that could be freed.
struct Kind {
    name: &'static str,
    total: usize,
    active: usize,
    size: i64,
    reclaimable: i64,
}

impl Kind {
    fn row(&self) -> Value {
        let mut reclaimable = units::human_size(self.reclaimable as f64, 4);
        if self.size > 0 && self.name != "Build Cache" {
            reclaimable += &format!(" ({}%)", self.reclaimable.saturating_mul(100) / self.size);
        }
        Value::structure(
            "*formatter.diskUsageContext",
            [
                ("Active", self.active.to_string().into()),
                ("Reclaimable", reclaimable.into()),
                ("Size", units::human_size(self.size as f64, 4).into()),
                ("TotalCount", self.total.to_string().into()),
                ("Type", self.name.into()),
            ],
        )
    }
}

fn rows(usage: &Usage) -> Vec<Value> {
    [images_of(usage), containers_of(usage), volumes_of(usage), cache_of(usage)]
        .iter()
        .map(Kind::row)
        .collect()
}

fn images_of(usage: &Usage) -> Kind {
    let images = usage.images.as_deref().unwrap_or_default();
    let in_use = images.iter().filter(|image| image.containers != 0);
    let known = in_use.filter(|image| image.size != -1 && image.shared_size != -1);
    let used: i64 = known.map(|image| image.size - image.shared_size).sum();
    Kind {
        name: "Images",
        total: images.len(),
        active: images.iter().filter(|image| image.containers > 0).count(),
        size: usage.layers_size,
        reclaimable: usage.layers_size - used,
    }
}

fn containers_of(usage: &Usage) -> Kind {
    let containers = usage.containers.as_deref().unwrap_or_default();
    let active =
        |container: &&ps::Summary| matches!(container.state.as_str(), "running" | "paused" | "restarting");
    let size: i64 = containers.iter().map(|container| container.size_rw).sum();
    let used: i64 = containers.iter().filter(active).map(|container| container.size_rw).sum();
    Kind {
        name: "Containers",
        total: containers.len(),
        active: containers.iter().filter(active).count(),
        size,
        reclaimable: size - used,
    }
}

fn volumes_of(usage: &Usage) -> Kind {
    let volumes = usage.volumes.as_deref().unwrap_or_default();
    let sized =
        || volumes.iter().filter_map(|volume| volume.usage_data.as_ref()).filter(|data| data.size != -1);
    Kind {
        name: "Local Volumes",
        total: volumes.len(),
        active: volumes
            .iter()
            .filter(|v| v.usage_data.as_ref().is_some_and(|data| data.ref_count > 0))
            .count(),
        size: sized().map(|data| data.size).sum(),
        reclaimable: sized().filter(|data| data.ref_count == 0).map(|data| data.size).sum(),
    }
}

fn cache_of(usage: &Usage) -> Kind {
    let records = usage.build_cache.as_deref().unwrap_or_default();
    let own = || records.iter().filter(|record| !record.shared);
    let in_use: i64 = own().filter(|record| record.in_use).map(|record| record.size).sum();
    let size: i64 = own().map(|record| record.size).sum();
    Kind {
        name: "Build Cache",
        total: records.len(),
        active: records.iter().filter(|record| record.in_use).count(),
        size,
        reclaimable: size - in_use,
    }
}

/// Each object with its size.
fn verbose(usage: &Usage) -> Outcome<String> {
    let images = usage.images.as_deref().unwrap_or_default();
    let image_rows: Vec<Value> = images
        .iter()
        .filter_map(|image| {
            let name = images::references(image, false, false).into_iter().next()?;
            Some(images::row(image, &name, true))
        })
        .collect();
    let containers = usage.containers.as_deref().unwrap_or_default();
    let container_rows: Vec<Value> =
        containers.iter().map(|container| ps::row(container, &ps::FIELDS, true, false)).collect();
    let volume_rows: Vec<Value> = usage.volumes.iter().flatten().map(volumes::row).collect();
    let table = |text: &str, titles: &[(&'static str, &'static str)], rows: &[Value]| {
        Format::parse(text)?.rows(titles, rows)
    };
    let images = table(
        "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t\
         {{.Containers}}",
        &images::TITLES,
        &image_rows,
    )?;
    let containers = table(
        "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t\
         {{.Names}}",
        &ps::TITLES,
        &container_rows,
    )?;
    let volumes = table("table {{.Name}}\t{{.Links}}\t{{.Size}}", &volumes::TITLES, &volume_rows)?;
    let cache = units::human_size(cache_of(usage).size as f64, 4);
    let cache_titles = columns_of_cache();
    Ok(format!(
        "Images space usage:\n\n{images}\nContainers space usage:\n\n{containers}\n\
         Local Volumes space usage:\n\n{volumes}\nBuild cache usage: {cache}\n\n{cache_titles}"
    ))
}

/// The builder's records are listed by the builder; here only their titles stand, as in docker without any.
fn columns_of_cache() -> String {
    output::columns::align("CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED\n")
}
