"""Turns files of many kinds into lines that know their place, and the lines into chunks. Knows no database."""
