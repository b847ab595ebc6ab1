db_password = "CANARY-s3cr3t-db-password"
plain_token = "CANARY-s3cr3t-token"
