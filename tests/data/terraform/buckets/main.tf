# What is wanted of buckets: see before/main.tf for what is there.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }
  }
}

provider "aws" {
  region                      = "vn-hn"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true
  s3_force_path_style         = true

  endpoints {
    s3 = "http://s3.hn.example.vn"
  }
}

resource "aws_s3_bucket" "nhat_ky" {
  bucket = "nhat-ky"
  acl    = "log-delivery-write"

  lifecycle_rule {
    id      = "het-han"
    enabled = true

    expiration {
      days = 400
    }
  }
}

resource "aws_s3_bucket" "ho_so" {
  bucket = "ho-so-cong-dan"
  acl    = "public-read"

  versioning {
    enabled = false
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

resource "aws_s3_bucket" "moi" {
  bucket = "moi"
}
