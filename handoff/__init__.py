"""People: who takes a conversation or ticket, what is promised to customers and falls due, and where agents work.

deciding    desk (what agents can do), care, tickets, promises, deadlines, watch (of clocks), routing; dialogue (values)
promising   standards, hours, forms (of tickets)
recording   recording, ledger, tables
serving     queue, rounds, replanning, commands, lookups, packet, search
accounts    accounts, staff, access, sessions, tokens, leading, customers, settings
to work at  desks (in Slack and Telegram), console, api; reading is what these show
"""
