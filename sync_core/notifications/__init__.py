"""What people are told: notices in the pages, mails, chats, webhooks, digests."""
