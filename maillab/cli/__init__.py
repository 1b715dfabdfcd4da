"""`maillab`, the command for people. It runs an engine (Pulumi or offline) and explains what happened."""
