"""The flagcast command: run by people, never deployed. Its rooms, each of which imports only those above it:

| room | job |
|---|---|
| console, confirmation, known_values, request_output | what every command needs: printing, asking, showing a request |
| checkout, samples, presets, file_watch | where files are, and which were saved |
| credentials | what may be a credential, and whose an address is |
| stack | a stack in an AWS account: signing in, outputs, queues |
| check | `check`: the problems of a configuration |
| deploy | `build`, `deploy`, `check --stack` |
| init | `init`: a first flagcast.yaml, and how its text is written |
| flipt_import | `import-flipt`: Flipt's webhooks to Flagcast's destinations |
| doctor | `doctor`: what is wrong with a deployed stack |
| flipt_state | `learn`, `verify`, `forget`: what Flipt has |
| ledger | a copy of a stack's log on this machine, in SQLite |
| dlq | `dlq`: dead letters |
| history | `events`, `deliveries`, `event`, `changes`, `tail`, `status`: what the copy answers |
| archive | `archive`: the archive's objects, and what they prove |
| replay | `replay`: accepted events once more, to one destination |
| local | `demo`, `dev`, `send`: the local stack and its receiver |
| preview | `render`, `test`: what a destination gets |
| main | every command by its name |

Nothing but console prints.
"""
