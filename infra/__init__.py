"""Where the product meets the machine: servers, processes, migrations, the command line, peers and benches."""
