//! `sink --port N --queue NAME …`: the sink as a program.

use std::error::Error;
use std::io::{self, Write};

use lexopt::prelude::*;
use sink::Server;

const USAGE: &str = "usage: sink [--port PORT] [--queue NAME]... [--journal FILE]
  --port PORT   on 127.0.0.1; any that is free by default
  --queue NAME  there is this queue, and none that is not named or created; any there is by default
  --journal FILE  every message goes there too, and is known again to a sink that begins with it
";

fn main() -> Result<(), Box<dyn Error>> {
    let (mut port, mut names, mut journal) = (0, Vec::new(), None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long("journal") => journal = Some(arguments.value()?),
            Long("queue") => names.push(arguments.value()?.string()?),
            Short('h') | Long("help") => return Ok(io::stdout().write_all(USAGE.as_bytes())?),
            other => return Err(other.unexpected().into()),
        }
    }
    let server = Server::bind(port)?;
    if let Some(path) = journal {
        server.keep_journal(path.as_ref())?;
    }
    for name in &names {
        server.create(name)?;
    }
    let mut out = io::stdout();
    writeln!(out, "listening on http://{}", server.address())?;
    out.flush()?;
    Ok(server.run()?)
}
