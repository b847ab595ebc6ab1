resource "openstack_objectstorage_container_v1" "ho_so" {
  name           = "ho-so-cong-dan"
  container_read = "cong-dich-vu:*"
  versioning     = true

  metadata = {
    data_class     = "important"
    data_residency = "VN"
  }
}

resource "aws_s3_bucket" "ho_so" {
  bucket = "ho-so-cong-dan"
  acl    = "private"

  versioning {
    enabled = true
  }

  server_side_encryption_configuration {
    rule {
      apply_server_side_encryption_by_default {
        sse_algorithm = "AES256"
      }
    }
  }

  lifecycle_rule {
    id      = "ban-cu"
    enabled = true

    noncurrent_version_expiration {
      days = 90
    }
  }

  logging {
    target_bucket = aws_s3_bucket.nhat_ky.id
    target_prefix = "ho-so-cong-dan/"
  }

  tags = {
    system_id      = "cong-dich-vu"
    data_class     = "important"
    data_residency = "VN"
  }
}

resource "aws_s3_bucket" "sao_luu" {
  bucket = "sao-luu"
  acl    = "private"

  versioning {
    enabled = true
  }

  object_lock_configuration {
    object_lock_enabled = "Enabled"

    rule {
      default_retention {
        mode = "COMPLIANCE"
        days = 30
      }
    }
  }

  server_side_encryption_configuration {
    rule {
      apply_server_side_encryption_by_default {
        sse_algorithm = "AES256"
      }
    }
  }

  tags = {
    role           = "backup"
    data_residency = "VN"
  }
}

resource "aws_s3_bucket" "nhat_ky" {
  bucket = "nhat-ky"
  acl    = "private"

  server_side_encryption_configuration {
    rule {
      apply_server_side_encryption_by_default {
        sse_algorithm = "AES256"
      }
    }
  }

  lifecycle_rule {
    id      = "het-han"
    enabled = true

    expiration {
      days = 400
    }
  }

  tags = {
    role           = "log"
    data_residency = "VN"
  }
}

resource "aws_s3_bucket_public_access_block" "ho_so" {
  bucket                  = aws_s3_bucket.ho_so.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "sao_luu" {
  bucket = aws_s3_bucket.sao_luu.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "chi-tls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::sao-luu", "arn:aws:s3:::sao-luu/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
