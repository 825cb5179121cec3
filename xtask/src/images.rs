//! `cargo xtask fixtures`: makes the images that tests and demonstrations use, and puts them into a registry.

use anyhow::{Context as _, Result};
use fixtures::Recipe;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which ones; none: all but those that are made on request
    names: Vec<String>,
    /// Say what there is, and make nothing
    #[arg(long, conflicts_with_all = ["names", "push"])]
    list: bool,
    /// Push them into this registry, under the names that a mirror of Docker Hub has them by
    #[arg(long, value_name = "HOST:PORT")]
    push: Option<String>,
}

pub(crate) fn make(arguments: &Arguments) -> Result<()> {
    if arguments.list {
        fixtures::all().for_each(|recipe| println!("{}", line(recipe)));
        return Ok(());
    }
    for recipe in chosen(&arguments.names)? {
        match &arguments.push {
            None => println!("{} {}", recipe.name, fixtures::layout(recipe.name)?.display()),
            Some(registry) => {
                fixtures::push(recipe, registry)?.iter().for_each(|name| println!("{name}"));
            }
        }
    }
    Ok(())
}

/// The recipes of these names, each once.
fn chosen(names: &[String]) -> Result<Vec<&'static Recipe>> {
    let named = names.iter().map(|name| {
        let recipe = fixtures::find(name);
        recipe.map(|recipe| recipe.name).with_context(|| format!("no recipe for {name}: see --list"))
    });
    let named = named.collect::<Result<Vec<_>>>()?;
    let wanted = |recipe: &&Recipe| match named[..] {
        [] => !recipe.on_request,
        _ => named.contains(&recipe.name),
    };
    Ok(fixtures::all().filter(wanted).collect())
}

/// Names, and what stands behind them.
fn line(recipe: &Recipe) -> String {
    let names = [&[recipe.name], recipe.aliases].concat().join(", ");
    let when = if recipe.on_request { " (on request)" } else { "" };
    format!("{names}{when}\n    {}", recipe.truth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Result<Vec<&'static str>> {
        let of: Vec<_> = of.iter().map(|name| (*name).to_owned()).collect();
        Ok(chosen(&of)?.iter().map(|recipe| recipe.name).collect())
    }

    #[test]
    fn an_image_is_chosen_by_any_of_its_names() {
        assert_eq!(names(&["nginx", "busybox", "nginx:1.21"]).unwrap(), ["busybox:latest", "nginx:1.21"]);
        assert!(names(&["nonsuch"]).unwrap_err().to_string().contains("nonsuch"));
        let all = names(&[]).unwrap();
        assert!(all.contains(&"python:3.9-slim") && !all.contains(&"bench-python:latest"));
        assert_eq!(names(&["bench-python"]).unwrap(), ["bench-python:latest"]);
    }
}
