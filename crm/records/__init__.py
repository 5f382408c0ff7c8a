"""Records: contacts, companies, leads and deals, as what notes, tasks, meetings and files hang on."""
