"""The rim: the only modules that reach the network, the environment, the file system or standard output."""
