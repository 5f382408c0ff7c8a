"""Language models behind one small protocol: offline and scripted here, endpoints from step 2 on."""
