//! The diff's transaction: the model is checked, the tables are brought in line with its
//! columns, what changed is found and written to the change set. One snapshot for all of it;
//! nothing of it is kept unless all of it is.

use super::job::{self, Job, Shape};
use crate::catalog::{self, Initial, run::Found};
use crate::changes::columns;
use crate::changes::diff::Subject;
use crate::changes::key;
use crate::changes::layout::Layout;
use crate::changes::model::{self, Model};
use crate::changes::tables;
use crate::pg::rights::as_superuser;
use crate::pg::spool::Spool;
use crate::pg::transaction::{Isolation, timeline, transaction_at};
use crate::pg::{Error, Result};

/// Takes the diff. What it returns, if anything, is why the run is to be held.
pub fn diff(job: &Job) -> Result<Option<Error>> {
    transaction_at(Isolation::RepeatableRead, || {
        let (model, layout) = match as_superuser(|| inspect(job))? {
            Ok(found) => found,
            Err(held) => return Ok(Some(held)),
        };
        take(job, &model, &layout)?;
        Ok(None)
    })
    .map_err(|error| explain(job, error))
}

/// An error in the model's own query says which model; one of ours does so already.
fn explain(job: &Job, error: Error) -> Error {
    if error.is_cancel() || error.message.starts_with("sync ") {
        return error;
    }
    let message =
        format!("model {} of sync \"{}\": {}", job.sync.model, job.sync.name, error.message);
    let hint = "The model is read with its owner's rights and the search_path pg_catalog. Mend its query, and run the sync again.";
    Error { message, hint: error.hint.or_else(|| Some(hint.to_owned())), ..error }
}

/// The model and its columns against the snapshot's; the inner error holds the run.
fn inspect(job: &Job) -> Result<std::result::Result<(Model, Layout), Error>> {
    let name = &job.sync.model;
    let model = model::find(name)?.ok_or_else(|| {
        let hint = "Create the view again, with the same owner, or drop the sync by sqs_sync_drop.";
        Error { message: format!("the model {name} does not exist"), ..model::does_not_exist(name) }
            .in_sync(&job.sync.name)
            .hint(hint)
    })?;
    if model.owner != job.owner {
        return Ok(Err(other_owner(job, &model)?));
    }
    model::check_superuser_model(&model)?;
    tables::check_plain(&job.tables)?;
    let columns = columns::of_model(model.oid)?;
    let layout = match Layout::of(&columns, &tables::kept_columns(&job.tables.snapshot)?) {
        Ok(layout) => layout,
        Err(held) => return Ok(Err(held.in_sync(&job.sync.name))),
    };
    check_definition(job, &layout)?;
    Ok(Ok((model, layout)))
}

fn other_owner(job: &Job, model: &Model) -> Result<Error> {
    let (was, is) = (model::role_name(job.owner)?, model::role_name(model.owner)?);
    Ok(Error::not_in_state(format!("the model {} belongs to {is}, not to {was}", model.name))
        .in_sync(&job.sync.name)
        .hint(format!("A sync runs with the rights of its model's owner: ALTER VIEW … OWNER TO {was}, and cancel this run by sqs_sync_cancel; or drop the sync and create it again.")))
}

/// The key, the order and the message must still be possible with the model's columns.
fn check_definition(job: &Job, layout: &Layout) -> Result<()> {
    let columns = layout.columns();
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let in_sync = |error: Error| error.in_sync(&job.sync.name);
    key::resolve(&job.sync.key, &columns).map_err(in_sync)?;
    let definition = catalog::definition::load(job.sync.id, job.version()?)?;
    if let Some(order) = &definition.order_by {
        key::parse_order(order, &columns).map_err(in_sync)?;
    }
    job::compile(&job.sync, &definition, &names).map(|_| ())
}

fn take(job: &Job, model: &Model, layout: &Layout) -> Result<()> {
    let definition = as_superuser(|| catalog::definition::load(job.sync.id, job.version()?))?;
    let before = as_superuser(|| Shape::of(job))?;
    job.as_owner(|| before.change_set(job).clear())?;
    job.reading_model(|owner| layout.adapt(&model.name, &job.tables, &before.key, owner))?;
    let columns = layout.columns();
    let key = as_superuser(|| key::resolve(&job.sync.key, &columns))?;
    let order = match &definition.order_by {
        Some(order) => as_superuser(|| key::parse_order(order, &columns))?,
        None => Vec::new(),
    };
    let subject = Subject {
        model: &model.name,
        tables: &job.tables,
        columns: &columns,
        key: &key,
        order: &order,
    };
    let found = job.reading_model(|owner| owner.run(|| subject.compare()))?;
    let skip = !job.sync.initial_done && job.sync.initial == Initial::Skip;
    let published: Vec<&str> = match skip {
        true => Vec::new(),
        false => definition.events.iter().map(|event| event.as_str()).collect(),
    };
    keep(job, &subject, &found, &published)
}

/// Writes the change set and the rejections, and what the run has found.
fn keep(job: &Job, subject: &Subject<'_>, found: &Spool, published: &[&str]) -> Result<()> {
    let counts = found.counts;
    let total = counts.added + counts.changed + counts.removed;
    let first =
        as_superuser(|| catalog::position::take_change_ids(job.sync.id, total, timeline()))?;
    job.as_owner(|| subject.write(found, first, job.version()?, published))?;
    let mut rejected = 0;
    job.as_owner(|| {
        subject.each_unfit(found, |rejections| {
            rejected += rejections.len() as i64;
            as_superuser(|| catalog::rejection::record(job.sync.id, job.run.id, rejections))
        })
    })?;
    as_superuser(|| {
        catalog::run::set_found(
            job.run.id,
            &Found {
                added: counts.added,
                changed: counts.changed,
                removed: counts.removed,
                rejected,
            },
        )
    })
}
